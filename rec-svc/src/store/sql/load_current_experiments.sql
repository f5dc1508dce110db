SELECT experiment.design, experiment.stopped_at, layer.holdout_millionths
FROM recs.experiment JOIN recs.layer ON layer.id = experiment.layer_id
WHERE upper(experiment.during) > now() - make_interval(secs => $1)
ORDER BY experiment.id
