SELECT (SELECT count(*) FROM inventory.stock_level) AS levels,
       (SELECT count(*) FROM inventory.movement) AS movements,
       (SELECT count(*) FROM inventory.reservation) AS reservation_lines
