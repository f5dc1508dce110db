UPDATE recs.experiment SET outcome_xact = $2, outcome_seq = $3, event_xact = $4, event_seq = $5 WHERE id = $1
