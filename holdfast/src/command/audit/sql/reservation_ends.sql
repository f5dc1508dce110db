-- Reservations the ledger does not hold once and end at most once, as their state says, level by level. Lines of one SKU
-- may meet at one level: each of them has movements of its own.
WITH moved AS (
    SELECT reservation_id, level_id, max(version) AS version,
           count(*) FILTER (WHERE kind = 1) AS held,
           count(*) FILTER (WHERE kind = 2) AS released,
           count(*) FILTER (WHERE kind = 3) AS expired,
           count(*) FILTER (WHERE kind = 4) AS confirmed,
           count(*) FILTER (WHERE kind = 5) AS restocked,
           sum(quantity) FILTER (WHERE kind = 1) AS units_held,
           sum(quantity) FILTER (WHERE kind IN (2, 3, 4)) AS units_ended,
           sum(quantity) FILTER (WHERE kind = 5) AS units_restocked,
           max(version) FILTER (WHERE kind = 1) AS held_at,
           min(version) FILTER (WHERE kind IN (2, 3, 4)) AS ended_at,
           max(version) FILTER (WHERE kind = 4) AS confirmed_at,
           min(version) FILTER (WHERE kind = 5) AS restocked_at
    FROM inventory.movement
    WHERE kind <= 5
    GROUP BY reservation_id, level_id
), lines AS (
    SELECT id AS reservation_id, level_id, max(version) AS version, count(*) AS count, max(state) AS state,
           bool_or(restocked) AS restocked
    FROM inventory.reservation
    GROUP BY id, level_id
), judged AS (
    SELECT coalesce(r.reservation_id, m.reservation_id) AS reservation_id, coalesce(r.level_id, m.level_id) AS level_id,
           coalesce(m.version, r.version) AS version,
           CASE
               WHEN r.count IS NULL THEN 'the ledger moves units of a reservation that does not exist'
               WHEN coalesce(m.held, 0) <> r.count
                   THEN format('the ledger held it %s times for %s lines', coalesce(m.held, 0), r.count)
               WHEN m.released + m.expired + m.confirmed > r.count
                   THEN format('it ended more than once: released %s, expired %s, confirmed %s times',
                               m.released, m.expired, m.confirmed)
               -- 1 held and 2 paying have no end
               WHEN (m.confirmed, m.released, m.expired)
                   <> (CASE r.state WHEN 3 THEN r.count ELSE 0 END,
                       CASE r.state WHEN 4 THEN r.count ELSE 0 END,
                       CASE r.state WHEN 5 THEN r.count ELSE 0 END)
                   THEN format('it is %s, but the ledger released %s, expired %s and confirmed %s of its lines',
                               (ARRAY['HELD', 'PAYING', 'CONFIRMED', 'RELEASED', 'EXPIRED'])[r.state],
                               m.released, m.expired, m.confirmed)
               WHEN m.restocked <> CASE WHEN r.restocked THEN r.count ELSE 0 END
                   THEN format('it is %srestocked, but the ledger restocked %s of its lines',
                               CASE WHEN r.restocked THEN '' ELSE 'not ' END, m.restocked)
               WHEN m.ended_at < m.held_at THEN format('it ended at version %s, before it was held', m.ended_at)
               WHEN m.restocked_at < m.confirmed_at
                   THEN format('it was restocked at version %s, before it was confirmed', m.restocked_at)
               WHEN m.units_ended <> m.units_held
                   THEN format('%s units were held, %s ended', m.units_held, m.units_ended)
               WHEN m.units_restocked <> m.units_held
                   THEN format('%s units were held, %s restocked', m.units_held, m.units_restocked)
           END AS what
    FROM lines r
    FULL JOIN moved m ON m.reservation_id = r.reservation_id AND m.level_id = r.level_id
)
SELECT l.sku, l.location_id AS location, j.version, j.reservation_id, NULL::uuid AS order_id, j.what,
       count(*) OVER () AS breaches
FROM judged j
LEFT JOIN inventory.stock_level l ON l.id = j.level_id
WHERE j.what IS NOT NULL
ORDER BY j.level_id, j.version
LIMIT $1
