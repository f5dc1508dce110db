DELETE FROM inbox_parked
WHERE id = (SELECT id FROM inbox_parked WHERE id = $1 AND (released OR cause IS NULL) FOR UPDATE SKIP LOCKED)
