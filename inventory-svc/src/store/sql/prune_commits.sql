-- Forgets commits that every tail has long passed: a tail that stood still for longer starts over by itself.
DELETE FROM inventory.commit_log
WHERE (xid, seq) IN (
    SELECT xid, seq FROM inventory.commit_log
    WHERE xid < greatest(pg_snapshot_xmin(pg_current_snapshot())::text::bigint - $1::bigint, 0)::text::xid8
    ORDER BY xid, seq
    LIMIT $2)
