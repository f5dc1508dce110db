SELECT id, topic, consumer, key, sequence, event_id, envelope, cause, attempts, released, parked_at
FROM inbox_parked
WHERE ($1::text IS NULL OR consumer = $1) AND ($2::text IS NULL OR topic = $2) AND id > $3
ORDER BY id
LIMIT $4
