SELECT count(*) AS events FROM inbox_parked WHERE topic = $1 AND consumer = $2
