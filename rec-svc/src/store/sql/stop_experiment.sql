UPDATE recs.experiment
SET stopped_at = $2, during = CASE WHEN $2 > lower(during) THEN tstzrange(lower(during), $2) ELSE 'empty' END
WHERE id = $1
