-- Forgets commits that every tail has long passed, and writes down how far: a tail that stood still for longer starts
-- over by itself, a reader of events goes to the ledger.
WITH gone AS (
    DELETE FROM inventory.commit_log
    WHERE (xid, seq) IN (
        SELECT xid, seq FROM inventory.commit_log
        WHERE xid < greatest(pg_snapshot_xmin(pg_current_snapshot())::text::bigint - $1::bigint, 0)::text::xid8
        ORDER BY xid, seq
        LIMIT $2)
    RETURNING xid
), cut AS (
    UPDATE inventory.commit_log_horizon h
    SET xid = greatest(h.xid, last.xid)
    FROM (SELECT max(xid::text::bigint) AS xid FROM gone) AS last
    WHERE last.xid IS NOT NULL
)
SELECT count(*) AS commits FROM gone
