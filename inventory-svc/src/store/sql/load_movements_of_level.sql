-- A level's movements after one version and up to another, oldest first.
SELECT m.level_id, m.version, m.kind, m.quantity, m.reservation_id, m.reason,
       (extract(epoch FROM m.created_at) * 1000000)::bigint AS created_us
FROM inventory.movement m
WHERE m.level_id = $1 AND m.version > $2 AND m.version <= $3
ORDER BY m.version
LIMIT $4
