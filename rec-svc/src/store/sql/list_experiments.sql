SELECT design, stopped_at FROM recs.experiment WHERE id > $1 ORDER BY id LIMIT $2
