SELECT r.id, r.line, r.state, r.level_id, r.version, r.quantity, r.fingerprint, r.restocked, r.customer_id,
       (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_us,
       (extract(epoch FROM r.expires_at) * 1000000)::bigint AS expires_us,
       l.sku, l.location_id
FROM inventory.reservation r
JOIN inventory.stock_level l ON l.id = r.level_id
WHERE r.id = ANY($1::uuid[])
ORDER BY r.id, r.line
