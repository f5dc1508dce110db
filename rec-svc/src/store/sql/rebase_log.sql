-- A log restored from a dump has transaction numbers of another server, some of them in this one's future, where no
-- reader would look for them. All of it becomes the log's beginning, in its old order.
UPDATE recs.event SET xact = 0
WHERE EXISTS (SELECT 1 FROM recs.event WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
