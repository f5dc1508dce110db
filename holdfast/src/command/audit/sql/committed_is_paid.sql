-- Units that an order took and that nobody pays for: of placed orders without payment, or never given back by orders
-- that are undone. An order that was refused a reservation made before it has no say in what became of that.
SELECT l.sku, l.location_id AS location, r.version, r.id AS reservation_id, o.id AS order_id,
       format('%s units are %s, but the order is %s and its payment %s', r.quantity,
              CASE r.state WHEN 3 THEN 'committed' ELSE 'held for payment' END, o.state, o.payment_state) AS what,
       count(*) OVER () AS breaches
FROM orders.sales_order o
JOIN inventory.reservation r ON r.id = o.reservation_id
LEFT JOIN inventory.stock_level l ON l.id = r.level_id
WHERE o.step IN ('PLACED', 'CANCELLED', 'WATCH') AND o.payment_state <> 'CAPTURED'
  AND (r.state = 2 OR (r.state = 3 AND NOT r.restocked)) -- paying, confirmed
  AND NOT (o.payment_state = 'NONE' AND o.reservation_taken_over)
ORDER BY o.id, r.line
LIMIT $1
