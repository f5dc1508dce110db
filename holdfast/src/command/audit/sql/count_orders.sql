-- In flight is every order that is not at rest. Those at WATCH are undone, but a charge that was never answered for may
-- still appear; the others are under way.
SELECT count(*) AS total,
       count(*) FILTER (WHERE step NOT IN ('PLACED', 'CANCELLED', 'WATCH')) AS under_way,
       count(*) FILTER (WHERE step = 'WATCH') AS watched
FROM orders.sales_order
