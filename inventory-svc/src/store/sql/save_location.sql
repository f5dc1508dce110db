INSERT INTO inventory.location AS l (id, display_name, priority) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, priority = excluded.priority
WHERE (l.display_name, l.priority) <> (excluded.display_name, excluded.priority)
