SELECT sku, product_id, options, gtin, price_currency, price_minor, attributes, retired
FROM inventory.variant
WHERE sku = ANY ($1::text[])
