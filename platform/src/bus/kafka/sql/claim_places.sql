-- Moves places from where they were seen, except those that another member moved since or is about to.
WITH free AS (
    SELECT consumer FROM inbox_position WHERE topic = $1 AND consumer = ANY($2::text[]) ORDER BY consumer FOR UPDATE SKIP LOCKED
)
UPDATE inbox_position p
SET place = ARRAY[0, u.arrived_ms, u.next], moved_at = now()
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
         AS u (consumer, found_arrived_ms, found_next, arrived_ms, next)
JOIN free ON free.consumer = u.consumer
WHERE p.topic = $1 AND p.consumer = u.consumer AND p.place = ARRAY[0, u.found_arrived_ms, u.found_next]
