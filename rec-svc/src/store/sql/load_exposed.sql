SELECT variant, sum(units)::bigint FROM recs.experiment_exposed WHERE experiment_id = $1 GROUP BY variant
