UPDATE inbox_parked SET released = true
WHERE consumer = $1 AND ($2::text IS NULL OR event_id = $2) AND cause IS NOT NULL
