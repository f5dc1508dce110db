-- Orders whose payment is captured and not refunded, but whose units are not committed as ordered. A refund comes before
-- the restocking, so this holds of orders in flight too.
WITH paid AS (
    SELECT id, reservation_id, lines FROM orders.sales_order WHERE payment_state = 'CAPTURED'
), ordered AS (
    SELECT o.id AS order_id, o.reservation_id, line ->> 'sku' AS sku, line ->> 'location_id' AS location,
           sum((line ->> 'quantity')::bigint) AS units
    FROM paid o
    CROSS JOIN LATERAL jsonb_array_elements(o.lines) AS line
    GROUP BY o.id, o.reservation_id, line ->> 'sku', line ->> 'location_id'
), committed AS (
    SELECT o.id AS order_id, r.id AS reservation_id, l.sku, l.location_id AS location, max(r.version) AS version,
           sum(r.quantity) AS units
    FROM paid o
    JOIN inventory.reservation r ON r.id = o.reservation_id
    JOIN inventory.stock_level l ON l.id = r.level_id
    WHERE r.state = 3 AND NOT r.restocked
    GROUP BY o.id, r.id, l.sku, l.location_id
)
SELECT sku, location, c.version, coalesce(o.reservation_id, c.reservation_id) AS reservation_id, order_id,
       format('%s units are paid for, %s committed', coalesce(o.units, 0), coalesce(c.units, 0)) AS what,
       count(*) OVER () AS breaches
FROM ordered o
FULL JOIN committed c USING (order_id, sku, location)
WHERE coalesce(o.units, 0) <> coalesce(c.units, 0)
ORDER BY order_id, sku
LIMIT $1
