-- The next outcomes, in the log's order, and whose reading each changes, if anybody's.
WITH page AS (
    SELECT xact, seq, unit_kind, unit_id, name FROM recs.outcome
    WHERE (xact, seq) > ($2, $3) AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY xact, seq
    LIMIT $4
)
SELECT page.xact, page.seq, unit.unit_id
FROM page LEFT JOIN recs.experiment_unit AS unit
    ON unit.experiment_id = $1 AND unit.unit_id = page.unit_id AND unit.folded
    AND page.unit_kind = $5 AND page.name = ANY ($6)
ORDER BY page.xact, page.seq
