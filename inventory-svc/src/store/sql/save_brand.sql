INSERT INTO inventory.brand AS b (id, display_name) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name
WHERE b.display_name <> excluded.display_name
