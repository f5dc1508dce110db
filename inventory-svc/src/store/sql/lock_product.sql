SELECT 1 FROM inventory.product WHERE id = $1 FOR NO KEY UPDATE
