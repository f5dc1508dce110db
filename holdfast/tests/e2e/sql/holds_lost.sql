-- Lines of acknowledged holds that the ledger does not have as they were acknowledged.
SELECT count(*)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::integer[])
     AS told (id, sku, location_id, version, quantity)
WHERE NOT EXISTS (
    SELECT
    FROM inventory.stock_level l
    JOIN inventory.movement m ON m.level_id = l.id AND m.version = told.version
    JOIN inventory.reservation r ON r.id = told.id AND r.level_id = l.id AND r.version = told.version
    WHERE (l.sku, l.location_id) = (told.sku, told.location_id)
      AND (m.kind, m.reservation_id, m.quantity, r.quantity) = (1, told.id, told.quantity, told.quantity)
)
