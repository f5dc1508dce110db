-- A place restored from a dump may name transactions that this server is far from: then everything comes again.
SELECT CASE WHEN abs(place[1]) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN '{0,0,0}' ELSE place END
           AS place
FROM inbox_position WHERE topic = $1 AND consumer = $2
