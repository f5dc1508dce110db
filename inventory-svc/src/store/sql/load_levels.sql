SELECT id, on_hand, unavailable, safety, held, committed, incoming, in_transit, version
FROM inventory.stock_level
WHERE id = ANY($1::bigint[])
