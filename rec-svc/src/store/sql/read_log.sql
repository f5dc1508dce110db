SELECT xact, seq, id, kind, customer_id, session_id, product_id, event_time
FROM recs.event
WHERE (xact, seq) > ($1, $2)
    AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY xact, seq
LIMIT $3
