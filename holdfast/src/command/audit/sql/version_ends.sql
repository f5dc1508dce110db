-- Levels whose version is not their last movement's.
WITH ledger AS (
    SELECT level_id, max(version) AS version FROM inventory.movement GROUP BY level_id
)
SELECT l.sku, l.location_id AS location, coalesce(l.version, m.version) AS version,
       NULL::uuid AS reservation_id, NULL::uuid AS order_id,
       CASE WHEN l.id IS NULL THEN format('level %s has movements, but does not exist', m.level_id)
            ELSE format('level %s is at version %s, its ledger at %s', l.id, l.version, coalesce(m.version, 0))
       END AS what,
       count(*) OVER () AS breaches
FROM inventory.stock_level l
FULL JOIN ledger m ON m.level_id = l.id
WHERE l.version IS DISTINCT FROM coalesce(m.version, 0)
ORDER BY coalesce(l.id, m.level_id)
LIMIT $1
