-- Moves a place from where it was seen, unless another member moved it since or is about to. Seen as the beginning
-- may also be what load_position.sql makes of a place from another server.
UPDATE inbox_position p
SET place = $4, moved_at = now()
FROM (SELECT topic, consumer FROM inbox_position WHERE topic = $1 AND consumer = $2 FOR UPDATE SKIP LOCKED) AS free
WHERE p.topic = free.topic AND p.consumer = free.consumer
  AND (p.place = $3::bigint[]
       OR ($3::bigint[] = '{0,0,0}' AND abs(p.place[1]) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint))
