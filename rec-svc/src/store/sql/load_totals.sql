-- What units did after their exposure and before it, by outcome; null where they did not.
WITH unit AS (
    SELECT unit_id, exposed_at, exposed_at - make_interval(secs => $6) AS since, exposed_at + make_interval(secs => $5) AS until
    FROM recs.experiment_unit
    WHERE experiment_id = $1 AND unit_id = ANY ($2)
), done AS (
    SELECT unit.unit_id, name, value, event_time >= exposed_at AS is_after
    FROM unit JOIN recs.outcome ON outcome.unit_kind = $3 AND outcome.unit_id = unit.unit_id
        AND event_time >= since AND event_time < until
    UNION ALL
    SELECT unit.unit_id, CASE kind WHEN 2 THEN 'add_to_cart' ELSE 'purchase' END, 1, event_time >= exposed_at
    FROM unit JOIN recs.event ON customer_id = unit.unit_id AND event_time >= since AND event_time < until
    WHERE $3 = 1 AND kind IN (2, 3)
    UNION ALL
    SELECT unit.unit_id, CASE kind WHEN 2 THEN 'add_to_cart' ELSE 'purchase' END, 1, event_time >= exposed_at
    FROM unit JOIN recs.event ON session_id = unit.unit_id AND event_time >= since AND event_time < until
    WHERE $3 = 2 AND kind IN (2, 3)
)
SELECT unit_id, name, sum(value) FILTER (WHERE is_after), sum(value) FILTER (WHERE NOT is_after)
FROM done
WHERE name = ANY ($4)
GROUP BY unit_id, name
