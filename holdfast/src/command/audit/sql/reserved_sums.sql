-- Levels whose held units are not those of open reservations, or whose committed units are not those of confirmed ones.
WITH reserved AS (
    SELECT level_id,
           sum(quantity) FILTER (WHERE state IN (1, 2)) AS held, -- held, paying
           sum(quantity) FILTER (WHERE state = 3 AND NOT restocked) AS committed
    FROM inventory.reservation
    GROUP BY level_id
)
SELECT l.sku, l.location_id AS location, l.version, NULL::uuid AS reservation_id, NULL::uuid AS order_id,
       format('%s of level %s is %s, its reservations come to %s', q.name, coalesce(l.id, r.level_id),
              coalesce(q.level::text, 'missing'), coalesce(q.reserved, 0)) AS what,
       count(*) OVER () AS breaches
FROM inventory.stock_level l
FULL JOIN reserved r ON r.level_id = l.id
CROSS JOIN LATERAL (VALUES ('held', l.held, r.held), ('committed', l.committed, r.committed))
    AS q (name, level, reserved)
WHERE coalesce(q.level, 0) <> coalesce(q.reserved, 0)
ORDER BY coalesce(l.id, r.level_id), q.name
LIMIT $1
