-- What no crash and no interleaving may leave behind: a row for each breach, none where all is well.
WITH ledger AS (
    SELECT level_id,
           count(*) AS movements,
           max(version) AS version,
           sum(CASE kind WHEN 6 THEN quantity ELSE 0 END) AS on_hand,
           sum(CASE kind WHEN 1 THEN quantity WHEN 2 THEN -quantity WHEN 3 THEN -quantity WHEN 4 THEN -quantity
                         ELSE 0 END) AS held,
           sum(CASE kind WHEN 4 THEN quantity WHEN 5 THEN -quantity ELSE 0 END) AS committed
    FROM inventory.movement
    GROUP BY level_id
), promised AS (
    SELECT level_id,
           coalesce(sum(quantity) FILTER (WHERE state IN (1, 2)), 0) AS held,
           coalesce(sum(quantity) FILTER (WHERE state = 3 AND NOT restocked), 0) AS committed
    FROM inventory.reservation
    GROUP BY level_id
), effects AS (
    SELECT reservation_id, level_id,
           count(*) FILTER (WHERE kind = 1) AS begun,
           count(*) FILTER (WHERE kind IN (2, 3, 4)) AS ended,
           count(*) FILTER (WHERE kind = 5) AS restocked
    FROM inventory.movement
    WHERE reservation_id IS NOT NULL
    GROUP BY reservation_id, level_id
), sold AS (
    SELECT id, bool_and(state = 3 AND NOT restocked) AS committed, bool_or(state IN (1, 2)) AS open
    FROM inventory.reservation
    GROUP BY id
)
SELECT 'oversold: ' || sku FROM inventory.stock_level WHERE held + committed > on_hand - unavailable
UNION ALL
SELECT format('%s is at version %s after %s movements up to %s', sku, l.version, movements, m.version)
FROM inventory.stock_level l LEFT JOIN ledger m ON m.level_id = l.id
WHERE l.version <> coalesce(m.version, 0) OR l.version <> coalesce(movements, 0)
UNION ALL
SELECT format('%s differs from its ledger', sku)
FROM inventory.stock_level l LEFT JOIN ledger m ON m.level_id = l.id
WHERE (l.on_hand, l.held, l.committed)
      <> (coalesce(m.on_hand, 0), coalesce(m.held, 0), coalesce(m.committed, 0))
UNION ALL
SELECT format('%s differs from its reservations', sku)
FROM inventory.stock_level l LEFT JOIN promised p ON p.level_id = l.id
WHERE (l.held, l.committed) <> (coalesce(p.held, 0), coalesce(p.committed, 0))
UNION ALL
SELECT format('reservation %s began %s times, ended %s times in state %s', r.id, coalesce(e.begun, 0),
              coalesce(e.ended, 0), r.state)
FROM inventory.reservation r LEFT JOIN effects e ON e.reservation_id = r.id AND e.level_id = r.level_id
WHERE e.begun IS DISTINCT FROM 1
   OR e.ended IS DISTINCT FROM CASE WHEN r.state IN (3, 4, 5) THEN 1 ELSE 0 END
   OR e.restocked IS DISTINCT FROM CASE WHEN r.restocked THEN 1 ELSE 0 END
UNION ALL
SELECT format('placed order %s is not paid or not committed', o.id)
FROM orders.sales_order o
LEFT JOIN sold s ON s.id = o.reservation_id
LEFT JOIN orders.sandbox_payment p ON p.reference = o.id::text
WHERE o.step = 'PLACED' AND (s.committed IS NOT TRUE OR p.status IS DISTINCT FROM 'CAPTURED')
UNION ALL
SELECT format('cancelled order %s keeps units or money', o.id)
FROM orders.sales_order o
LEFT JOIN sold s ON s.id = o.reservation_id
LEFT JOIN orders.sandbox_payment p ON p.reference = o.id::text
WHERE (o.step = 'CANCELLED' AND p.status IN ('AUTHORIZED', 'CAPTURED'))
   OR (o.step IN ('CANCELLED', 'WATCH') AND (s.committed OR s.open))
UNION ALL
SELECT format('reservation %s is committed to no placed order', s.id)
FROM sold s
WHERE s.committed AND NOT EXISTS (SELECT FROM orders.sales_order o WHERE o.reservation_id = s.id)
