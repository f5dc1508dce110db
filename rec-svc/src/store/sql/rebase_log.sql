-- A log restored from a dump has transaction numbers of another server, some of them in this one's future, where no
-- reader would look for them. They become the log's beginning, in their old order.
UPDATE recs.event SET xact = 0
WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
