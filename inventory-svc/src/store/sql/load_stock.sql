SELECT v.sku, l.id, l.location_id, l.on_hand, l.unavailable, l.safety, l.held, l.committed, l.incoming, l.in_transit,
       l.version, (extract(epoch FROM l.updated_at) * 1000000)::bigint AS updated_us
FROM inventory.variant v
LEFT JOIN inventory.stock_level l ON l.sku = v.sku
LEFT JOIN inventory.location p ON p.id = l.location_id
WHERE v.sku = ANY($1::text[])
ORDER BY v.sku, p.priority, l.location_id
