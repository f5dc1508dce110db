SELECT design, stopped_at FROM recs.experiment WHERE id = $1
