-- In key order: whoever locks several never meets another the other way round.
SELECT id, on_hand, unavailable, safety, held, committed, incoming, in_transit, version
FROM inventory.stock_level
WHERE id = ANY($1::bigint[])
ORDER BY id
FOR UPDATE
