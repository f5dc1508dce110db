SELECT design, stopped_at, outcome_xact, outcome_seq, event_xact, event_seq
FROM recs.experiment
WHERE id = $1
FOR NO KEY UPDATE
