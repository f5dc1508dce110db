SELECT EXISTS (SELECT 1 FROM inventory.brand WHERE id = $1) AS found
