WITH inserted AS (
    INSERT INTO recs.outcome (id, unit_kind, unit_id, name, value, event_time)
    SELECT id, unit_kind, unit_id, name, value, event_time
    FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::float8[], $6::timestamptz[])
        AS new (id, unit_kind, unit_id, name, value, event_time)
    ORDER BY id, unit_kind
    ON CONFLICT (id, unit_kind) DO NOTHING
    RETURNING id
)
SELECT count(DISTINCT id) FROM inserted
