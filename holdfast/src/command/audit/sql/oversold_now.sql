-- Levels that promise more than there is.
SELECT sku, location_id AS location, version, NULL::uuid AS reservation_id, NULL::uuid AS order_id,
       format('%s held + %s committed > %s on hand - %s unavailable', held, committed, on_hand, unavailable) AS what,
       count(*) OVER () AS breaches
FROM inventory.stock_level
WHERE held + committed > on_hand - unavailable
ORDER BY sku, location_id
LIMIT $1
