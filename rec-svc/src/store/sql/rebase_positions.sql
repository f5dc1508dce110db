-- Folding again from the beginning costs time and changes nothing. Where no row was rebased ($1), only positions that lie in
-- this server's future came from another one.
UPDATE recs.experiment SET outcome_xact = 0, outcome_seq = 0, event_xact = 0, event_seq = 0
WHERE $1 OR greatest(outcome_xact, event_xact) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
