-- Which of these SKUs belong to other products than this one.
SELECT sku, product_id FROM inventory.variant WHERE sku = ANY ($1::text[]) AND product_id <> $2
