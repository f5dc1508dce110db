SELECT id, display_name FROM inventory.brand WHERE id > $1 ORDER BY id LIMIT $2
