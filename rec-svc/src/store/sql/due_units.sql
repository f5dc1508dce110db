SELECT unit_id FROM recs.experiment_unit
WHERE experiment_id = $1 AND NOT folded AND exposed_at <= $2
ORDER BY exposed_at
LIMIT $3
