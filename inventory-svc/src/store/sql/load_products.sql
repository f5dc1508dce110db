-- Products with their variants, live and retired, as one array a column; in the order of their ids. LIMIT keeps it at
-- one look into the index for each id: an import outgrows what the planner last knew of the table.
SELECT p.id, p.brand_id, p.title, p.description, p.category, p.status, p.tags, p.attributes, p.version, p.updated_at,
       v.skus, v.options, v.gtins, v.price_currencies, v.price_minors, v.variant_attributes, v.retired
FROM unnest($1::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM inventory.product WHERE id = wanted.id LIMIT 1) p
CROSS JOIN LATERAL (
    SELECT array_agg(v.sku) AS skus,
           array_agg(v.options) AS options,
           array_agg(v.gtin) AS gtins,
           array_agg(v.price_currency) AS price_currencies,
           array_agg(v.price_minor) AS price_minors,
           array_agg(v.attributes) AS variant_attributes,
           array_agg(v.retired) AS retired
    FROM (SELECT * FROM inventory.variant WHERE product_id = p.id ORDER BY position, sku) v
) v
ORDER BY p.id
