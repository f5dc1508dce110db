-- Reservation lines whose version is not that of a movement that held them: same level, same units.
WITH judged AS (
    SELECT r.id, r.level_id, r.version,
           CASE
               WHEN m.version IS NULL THEN format('line %s says it was held there, but nothing was', r.line)
               WHEN m.kind <> 1 OR m.reservation_id IS DISTINCT FROM r.id
                   THEN format('line %s says it was held there, but something else happened', r.line)
               WHEN m.quantity <> r.quantity
                   THEN format('line %s is of %s units, but %s were held', r.line, r.quantity, m.quantity)
           END AS what
    FROM inventory.reservation r
    LEFT JOIN inventory.movement m ON m.level_id = r.level_id AND m.version = r.version
)
SELECT l.sku, l.location_id AS location, j.version, j.id AS reservation_id, NULL::uuid AS order_id, j.what,
       count(*) OVER () AS breaches
FROM judged j
LEFT JOIN inventory.stock_level l ON l.id = j.level_id
WHERE j.what IS NOT NULL
ORDER BY j.level_id, j.version
LIMIT $1
