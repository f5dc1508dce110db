-- Commits after a position, oldest first; only below the oldest transaction still running, so none can appear behind it.
SELECT xid::text::bigint AS xid, seq, level_ids, versions_found, versions_left
FROM inventory.commit_log
WHERE (xid, seq) > ($1::bigint::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, seq
LIMIT $3
