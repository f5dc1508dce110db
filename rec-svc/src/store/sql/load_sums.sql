SELECT variant, metric, units, y, w, yy, ww, yw FROM recs.experiment_sum WHERE experiment_id = $1
