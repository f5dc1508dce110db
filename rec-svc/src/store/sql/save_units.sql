-- $3 has every unit's reading behind the other, $4 numbers each.
UPDATE recs.experiment_unit
SET folded = true, reading = ($3::float8[])[(place - 1) * $4::int + 1 : place * $4::int]
FROM (SELECT unit_id, place::int AS place FROM unnest($2::text[]) WITH ORDINALITY AS each (unit_id, place)) AS new
WHERE experiment_unit.experiment_id = $1 AND experiment_unit.unit_id = new.unit_id
