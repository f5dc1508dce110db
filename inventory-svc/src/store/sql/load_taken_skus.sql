-- Which of these SKUs belong to other products than this one. LIMIT as in load_products.sql.
SELECT v.sku, v.product_id
FROM unnest($1::text[]) AS wanted (sku)
CROSS JOIN LATERAL (SELECT * FROM inventory.variant WHERE sku = wanted.sku LIMIT 1) v
WHERE v.product_id <> $2
