SELECT EXISTS (SELECT 1 FROM inventory.location WHERE id = $1) AS found
