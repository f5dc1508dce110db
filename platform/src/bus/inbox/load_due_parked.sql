-- The first parked event of each key, where it was released or only waited behind one that is gone.
SELECT p.id, p.envelope
FROM inbox_parked p
WHERE p.topic = $1 AND p.consumer = $2 AND (p.released OR p.cause IS NULL)
  AND NOT EXISTS (SELECT 1 FROM inbox_parked q
                  WHERE q.topic = p.topic AND q.consumer = p.consumer AND q.key = p.key AND q.sequence < p.sequence)
ORDER BY p.id
LIMIT $3
