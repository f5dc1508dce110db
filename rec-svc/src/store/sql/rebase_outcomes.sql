-- As rebase_log.sql.
UPDATE recs.outcome SET xact = 0
WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
