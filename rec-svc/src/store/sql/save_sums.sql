INSERT INTO recs.experiment_sum (experiment_id, variant, metric, units, y, w, yy, ww, yw)
SELECT $1, new.*
FROM unnest($2::smallint[], $3::smallint[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[]) AS new
ON CONFLICT (experiment_id, variant, metric) DO UPDATE
SET units = excluded.units, y = excluded.y, w = excluded.w, yy = excluded.yy, ww = excluded.ww, yw = excluded.yw
