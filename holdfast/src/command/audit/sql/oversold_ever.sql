-- Movements that took a level below nothing: `spare` is on_hand - unavailable - held - committed as each left it.
WITH effect AS (
    SELECT level_id, version, reservation_id,
           CASE WHEN kind IN (2, 3, 5, 6) THEN quantity -- released, expired, restocked, on_hand adjusted
                WHEN kind IN (1, 7) THEN -quantity      -- held, unavailable adjusted
                ELSE 0 END AS units
    FROM inventory.movement
), running AS (
    SELECT level_id, version, reservation_id, units,
           sum(units) OVER (PARTITION BY level_id ORDER BY version ROWS UNBOUNDED PRECEDING) AS spare
    FROM effect
)
SELECT l.sku, l.location_id AS location, r.version, r.reservation_id, NULL::uuid AS order_id,
       format('level %s was oversold by %s', r.level_id, -r.spare) AS what,
       count(*) OVER () AS breaches
FROM running r
LEFT JOIN inventory.stock_level l ON l.id = r.level_id
WHERE r.spare < 0 AND r.units < 0
ORDER BY r.level_id, r.version
LIMIT $1
