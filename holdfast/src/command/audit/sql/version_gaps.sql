-- Movements that do not follow the one before. The first of a level is version 1.
WITH followed AS (
    SELECT level_id, version, lag(version, 1, 0::bigint) OVER (PARTITION BY level_id ORDER BY version) AS before
    FROM inventory.movement
)
SELECT l.sku, l.location_id AS location, f.version, NULL::uuid AS reservation_id, NULL::uuid AS order_id,
       format('level %s went from version %s to %s', f.level_id, f.before, f.version) AS what,
       count(*) OVER () AS breaches
FROM followed f
LEFT JOIN inventory.stock_level l ON l.id = f.level_id
WHERE f.version <> f.before + 1
ORDER BY f.level_id, f.version
LIMIT $1
