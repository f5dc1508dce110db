-- Folding again from the beginning costs time and changes nothing.
UPDATE recs.experiment SET outcome_xact = 0, outcome_seq = 0, event_xact = 0, event_seq = 0
