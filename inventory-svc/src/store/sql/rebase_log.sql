-- A log restored from a dump has transaction numbers of another server, some of them in this one's future, where no
-- reader would look for them. It is given up: the ledger itself has everything.
WITH foreign_commits AS (
    DELETE FROM inventory.commit_log WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) RETURNING 1
)
UPDATE inventory.commit_log_horizon
SET xid = pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint OR EXISTS (SELECT 1 FROM foreign_commits)
