-- For each key that was seen before: its last event, and whether one of its events is parked.
SELECT k.key, coalesce(i.sequence, 0) AS sequence,
       EXISTS (SELECT 1 FROM inbox_parked p WHERE p.topic = $1 AND p.consumer = $2 AND p.key = k.key) AS parked
FROM unnest($3::text[]) AS k (key)
LEFT JOIN inbox i ON i.topic = $1 AND i.consumer = $2 AND i.key = k.key
