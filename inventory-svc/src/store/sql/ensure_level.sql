-- A level for a SKU at a location, made empty at version 0 where there is none. No row: no such SKU or location.
INSERT INTO inventory.stock_level (sku, location_id)
SELECT v.sku, p.id FROM inventory.variant v, inventory.location p WHERE v.sku = $1 AND p.id = $2
ON CONFLICT (sku, location_id) DO NOTHING
