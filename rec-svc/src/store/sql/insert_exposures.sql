-- The first exposure of a unit counts, whichever is told first. One order for everybody, so that two requests wait for each
-- other but never in a circle.
WITH exposed AS (
    INSERT INTO recs.experiment_unit AS unit (experiment_id, unit_id, variant, exposed_at)
    SELECT experiment_id, unit_id, variant, min(exposed_at)
    FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[]) AS new (experiment_id, unit_id, variant, exposed_at)
    GROUP BY experiment_id, unit_id, variant
    ORDER BY experiment_id, unit_id
    ON CONFLICT (experiment_id, unit_id) DO UPDATE SET exposed_at = excluded.exposed_at, folded = false
    WHERE excluded.exposed_at < unit.exposed_at
    RETURNING experiment_id, variant, xmax = 0 AS is_new
), counted AS (
    INSERT INTO recs.experiment_exposed AS exposed (experiment_id, variant, slot, units)
    SELECT experiment_id, variant, pg_backend_pid() % 16, count(*) FROM exposed WHERE is_new
    GROUP BY experiment_id, variant
    ORDER BY experiment_id, variant
    ON CONFLICT (experiment_id, variant, slot) DO UPDATE SET units = exposed.units + excluded.units
)
SELECT count(*) FROM exposed WHERE is_new
