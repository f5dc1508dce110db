-- One page of a SKU's ledger by level, then oldest first, after the given (level, version).
SELECT m.level_id, m.version, m.kind, m.quantity, m.reservation_id, m.reason, l.sku, l.location_id,
       (extract(epoch FROM m.created_at) * 1000000)::bigint AS created_us
FROM inventory.movement m
JOIN inventory.stock_level l ON l.id = m.level_id
WHERE m.level_id = ANY($1::bigint[]) AND (m.level_id, m.version) > ($2::bigint, $3::bigint)
ORDER BY m.level_id, m.version
LIMIT $4
