-- Nothing where it would take units out of an experiment that runs.
INSERT INTO recs.layer AS layer (id, holdout_millionths) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET holdout_millionths = excluded.holdout_millionths
WHERE excluded.holdout_millionths <= layer.holdout_millionths
    OR NOT EXISTS (SELECT FROM recs.experiment WHERE layer_id = $1 AND during @> now())
