-- Units promised beyond what is there, over all levels. The table's CHECK holds this at zero; this looks all the same.
SELECT coalesce(sum(held + committed - (on_hand - unavailable)), 0)::bigint AS units
FROM inventory.stock_level
WHERE held + committed > on_hand - unavailable
