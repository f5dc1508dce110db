DELETE FROM inbox_parked WHERE consumer = $1 AND event_id = $2
