-- LIMIT as in load_products.sql.
SELECT v.sku, v.product_id, v.options, v.gtin, v.price_currency, v.price_minor, v.attributes, v.retired
FROM unnest($1::text[]) AS wanted (sku)
CROSS JOIN LATERAL (SELECT * FROM inventory.variant WHERE sku = wanted.sku LIMIT 1) v
