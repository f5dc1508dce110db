-- Orders whose saga is neither over nor only watching for a late charge.
SELECT count(*) FROM orders.sales_order WHERE step NOT IN ('PLACED', 'CANCELLED', 'WATCH')
