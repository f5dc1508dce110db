INSERT INTO inbox_parked (topic, consumer, key, sequence, event_id, envelope, cause, attempts)
SELECT $1, $2, u.key, u.sequence, u.event_id, u.envelope, u.cause, $8
FROM unnest($3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::text[]) AS u (key, sequence, event_id, envelope, cause)
ON CONFLICT (topic, consumer, key, sequence) DO NOTHING
