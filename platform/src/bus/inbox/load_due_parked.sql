-- The first parked event of each key from a key on, a bounded number of keys: one step along the index for each, however
-- many wait behind it. With an envelope where it is its turn: it was released, or only waited behind one that is gone.
WITH RECURSIVE head AS (
    (SELECT p.id, p.key, p.released OR p.cause IS NULL AS due, 1::bigint AS nth
     FROM inbox_parked p
     WHERE p.topic = $1 AND p.consumer = $2 AND (p.key, p.sequence) > ($3::text, $4::bigint)
     ORDER BY p.key, p.sequence
     LIMIT 1)
    UNION ALL
    SELECT next.id, next.key, next.due, h.nth + 1
    FROM head h
    CROSS JOIN LATERAL (
        SELECT p.id, p.key, p.released OR p.cause IS NULL AS due
        FROM inbox_parked p
        WHERE p.topic = $1 AND p.consumer = $2 AND p.key > h.key
        ORDER BY p.key, p.sequence
        LIMIT 1) AS next
    WHERE h.nth < $5::bigint
)
SELECT h.id, h.key, p.envelope
FROM (SELECT *, count(*) FILTER (WHERE due) OVER (ORDER BY nth) AS dues FROM head) AS h
LEFT JOIN inbox_parked p ON h.due AND p.id = h.id
WHERE h.dues <= $6::bigint
ORDER BY h.nth
