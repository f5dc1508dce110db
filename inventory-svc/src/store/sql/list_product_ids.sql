SELECT id FROM inventory.product WHERE id > $1 ORDER BY id LIMIT $2
