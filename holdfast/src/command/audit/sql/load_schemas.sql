SELECT to_regclass('inventory.movement') IS NOT NULL AS inventory,
       to_regclass('orders.sales_order') IS NOT NULL AS orders,
       to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS taken_at
