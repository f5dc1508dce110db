-- Orders of these that are not placed.
SELECT count(*)
FROM unnest($1::uuid[]) AS told (id)
WHERE NOT EXISTS (SELECT FROM orders.sales_order o WHERE o.id = told.id AND o.state = 'PLACED')
