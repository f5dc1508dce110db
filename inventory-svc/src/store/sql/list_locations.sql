-- From the beginning where the rank is null.
SELECT id, display_name, priority
FROM inventory.location
WHERE $1::integer IS NULL OR (priority, id) > ($1, $2::text)
ORDER BY priority, id
LIMIT $3
