-- Writes a batch that only holds units, or nothing: the common case of commit_batch.sql, cut down to what it needs.
-- One set-returning function drives each row source and the other columns are read by subscript: an unnest of many
-- arrays would copy every column through a tuplestore of its own.
WITH moved AS (
    UPDATE inventory.stock_level l
    SET version = ($3::bigint[])[u.i], held = ($4::bigint[])[u.i], updated_at = now()
    FROM unnest($1::bigint[]) WITH ORDINALITY AS u (id, i)
    WHERE l.id = u.id AND l.version = ($2::bigint[])[u.i]
    RETURNING 1
), unmoved AS (
    SELECT 1
    FROM unnest($5::bigint[]) WITH ORDINALITY AS u (id, i)
    JOIN inventory.stock_level l ON l.id = u.id AND l.version = ($6::bigint[])[u.i]
), levels_matched AS MATERIALIZED (
    SELECT inventory.assert_matched(
        (SELECT count(*) FROM moved) + (SELECT count(*) FROM unmoved)
        + (SELECT count(*) FROM inventory.reservation WHERE id = ANY($16::uuid[]))
        + (SELECT count(*) FROM inventory.adjustment WHERE request_id = ANY($16::uuid[])),
        cardinality($1) + cardinality($5)) AS ok
), held AS (
    INSERT INTO inventory.reservation
        (id, line, state, level_id, version, quantity, fingerprint, customer_id, created_at, expires_at)
    SELECT ($8::uuid[])[u.i], ($9::smallint[])[u.i], 1, ($10::bigint[])[u.i], ($11::bigint[])[u.i],
           ($12::integer[])[u.i], ($13::bigint[])[u.i], u.customer_id, now(),
           now() + ($14::bigint[])[u.i] * interval '1 millisecond'
    FROM levels_matched, unnest($7::text[]) WITH ORDINALITY AS u (customer_id, i)
), ledger AS (
    INSERT INTO inventory.movement (level_id, version, kind, quantity, reservation_id, created_at)
    SELECT ($10::bigint[])[u.i], ($11::bigint[])[u.i], 1, ($12::integer[])[u.i], u.id, now()
    FROM unnest($8::uuid[]) WITH ORDINALITY AS u (id, i)
), logged AS (
    INSERT INTO inventory.commit_log (level_ids, versions_found, versions_left) VALUES ($1, $2, $3)
)
SELECT levels_matched.ok, (extract(epoch FROM now()) * 1000000)::bigint AS now_us,
       $15::boolean AND EXISTS (SELECT 1 FROM inventory.reservation WHERE state = 1 AND expires_at <= now()) AS due
FROM levels_matched
