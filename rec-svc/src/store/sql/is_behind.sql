-- Whether either log goes on where its folding stands, readable yet or not.
SELECT EXISTS (SELECT FROM recs.outcome WHERE (xact, seq) > (outcome_xact, outcome_seq))
    OR EXISTS (SELECT FROM recs.event WHERE (xact, seq) > (event_xact, event_seq))
FROM recs.experiment
WHERE id = $1
