SELECT id FROM inventory.product WHERE brand_id = $1 AND id > $2 ORDER BY id LIMIT $3
