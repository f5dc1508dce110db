-- Orders at rest that the sandbox provider's books contradict, orders charged twice, and charges without an order.
WITH charge AS (
    SELECT reference,
           count(*) FILTER (WHERE status IN ('AUTHORIZED', 'CAPTURED', 'REFUNDED')) AS charges,
           count(*) FILTER (WHERE status = 'AUTHORIZED') AS authorized,
           count(*) FILTER (WHERE status = 'CAPTURED') AS captured,
           sum(amount_minor) FILTER (WHERE status = 'CAPTURED') AS captured_minor,
           min(currency) FILTER (WHERE status = 'CAPTURED') AS captured_currency
    FROM orders.sandbox_payment
    GROUP BY reference
), judged AS (
    SELECT o.id, o.reservation_id,
           CASE
               WHEN o.id IS NULL AND c.authorized + c.captured > 0
                   THEN format('money is taken for order %s, which does not exist', c.reference)
               WHEN c.charges > 1 THEN format('it is charged %s times', c.charges)
               WHEN o.step = 'PLACED' AND coalesce(c.captured, 0) = 0 THEN 'it is placed, but nothing is captured'
               WHEN o.step = 'PLACED' AND (c.captured_minor, c.captured_currency) <> (o.total_minor, o.currency)
                   THEN format('its total is %s %s, but %s %s are captured', o.total_minor, o.currency,
                               c.captured_minor, c.captured_currency)
               WHEN o.step = 'CANCELLED' AND c.authorized > 0 THEN 'it is cancelled, but still authorised'
               WHEN o.step = 'CANCELLED' AND c.captured > 0 THEN 'it is cancelled, but still charged'
           END AS what
    FROM (SELECT * FROM orders.sales_order WHERE payment_provider = 'sandbox') o
    FULL JOIN charge c ON c.reference = o.id::text
)
SELECT NULL::text AS sku, NULL::text AS location, NULL::bigint AS version, reservation_id, id AS order_id, what,
       count(*) OVER () AS breaches
FROM judged
WHERE what IS NOT NULL
ORDER BY id
LIMIT $1
