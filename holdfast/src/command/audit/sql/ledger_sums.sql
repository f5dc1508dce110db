-- Quantities that are not the sum of their level's movements.
WITH ledger AS (
    SELECT level_id,
           sum(quantity) FILTER (WHERE kind = 6) AS on_hand,
           sum(quantity) FILTER (WHERE kind = 7) AS unavailable,
           sum(quantity) FILTER (WHERE kind = 8) AS safety,
           sum(quantity) FILTER (WHERE kind = 9) AS incoming,
           sum(quantity) FILTER (WHERE kind = 10) AS in_transit,
           -- 1 held; 2 released, 3 expired and 4 confirmed end it
           sum(CASE WHEN kind = 1 THEN quantity WHEN kind IN (2, 3, 4) THEN -quantity END) AS held,
           -- 4 confirmed, 5 restocked
           sum(CASE WHEN kind = 4 THEN quantity WHEN kind = 5 THEN -quantity END) AS committed
    FROM inventory.movement
    GROUP BY level_id
)
SELECT l.sku, l.location_id AS location, l.version, NULL::uuid AS reservation_id, NULL::uuid AS order_id,
       format('%s of level %s is %s, the ledger''s sum %s', q.name, coalesce(l.id, m.level_id),
              coalesce(q.level::text, 'missing'), coalesce(q.ledger, 0)) AS what,
       count(*) OVER () AS breaches
FROM inventory.stock_level l
FULL JOIN ledger m ON m.level_id = l.id
CROSS JOIN LATERAL (VALUES
    ('on_hand', l.on_hand, m.on_hand), ('unavailable', l.unavailable, m.unavailable), ('safety', l.safety, m.safety),
    ('held', l.held, m.held), ('committed', l.committed, m.committed), ('incoming', l.incoming, m.incoming),
    ('in_transit', l.in_transit, m.in_transit)) AS q (name, level, ledger)
WHERE coalesce(q.level, 0) <> coalesce(q.ledger, 0)
ORDER BY coalesce(l.id, m.level_id), q.name
LIMIT $1
