-- The same of the log of events.
WITH page AS (
    SELECT xact, seq, kind, CASE $5::smallint WHEN 1 THEN customer_id ELSE session_id END AS unit_id FROM recs.event
    WHERE (xact, seq) > ($2, $3) AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY xact, seq
    LIMIT $4
)
SELECT page.xact, page.seq, unit.unit_id
FROM page LEFT JOIN recs.experiment_unit AS unit
    ON unit.experiment_id = $1 AND unit.unit_id = page.unit_id AND unit.folded AND page.kind IN (2, 3)
ORDER BY page.xact, page.seq
