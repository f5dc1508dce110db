-- A new one's units have their history in the logs already: it need only follow what comes, from the oldest running
-- transaction on.
INSERT INTO recs.experiment AS experiment (id, layer_id, buckets, during, design, outcome_xact, outcome_seq, event_xact, event_seq)
SELECT $1, layer.id, int8range(layer.no * 1000000 + $3, layer.no * 1000000 + $4), tstzrange($5, $6), $7,
    oldest - 1, 9223372036854775807, oldest - 1, 9223372036854775807
FROM recs.layer, LATERAL (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest) AS snapshot
WHERE layer.id = $2
ON CONFLICT (id) DO UPDATE
SET layer_id = excluded.layer_id, buckets = excluded.buckets, during = excluded.during, design = excluded.design
WHERE $8
