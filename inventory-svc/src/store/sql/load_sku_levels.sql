-- A SKU's levels in the order a reservation picks them. A SKU without levels gives one row of nulls; no such SKU, none.
SELECT v.sku, l.id, l.location_id
FROM inventory.variant v
LEFT JOIN inventory.stock_level l ON l.sku = v.sku
LEFT JOIN inventory.location p ON p.id = l.location_id
WHERE v.sku = ANY($1::text[])
ORDER BY v.sku, p.priority, l.location_id
