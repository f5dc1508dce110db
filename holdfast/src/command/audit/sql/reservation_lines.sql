-- Reservations whose lines are not all in one state.
SELECT NULL::text AS sku, NULL::text AS location, NULL::bigint AS version, id AS reservation_id,
       NULL::uuid AS order_id,
       format('its %s lines are not all in one state', count(*)) AS what,
       count(*) OVER () AS breaches
FROM inventory.reservation
GROUP BY id
HAVING min(state) <> max(state) OR bool_or(restocked) <> bool_and(restocked)
ORDER BY id
LIMIT $1
