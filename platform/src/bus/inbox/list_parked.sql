SELECT topic, key, sequence, event_id, envelope, cause, attempts, released, parked_at
FROM inbox_parked
WHERE consumer = $1
ORDER BY id
LIMIT $2
