-- Writes a batch that only holds units and refuses nobody, or nothing: the common case of commit_batch.sql, cut down to
-- what it needs. One set-returning function drives each row source and the other columns are read by subscript: an
-- unnest of many arrays would copy every column through a tuplestore of its own.
WITH moved AS (
    UPDATE inventory.stock_level l
    SET version = ($3::bigint[])[u.i], held = ($4::bigint[])[u.i], updated_at = now()
    FROM unnest($1::bigint[]) WITH ORDINALITY AS u (id, i)
    WHERE l.id = u.id AND l.version = ($2::bigint[])[u.i]
    RETURNING 1
), levels_matched AS MATERIALIZED (
    SELECT inventory.assert_matched((SELECT count(*) FROM moved), cardinality($1)) AS ok
), held AS (
    INSERT INTO inventory.reservation
        (id, line, state, level_id, version, quantity, fingerprint, customer_id, created_at, expires_at)
    SELECT ($6::uuid[])[u.i], ($7::smallint[])[u.i], 1, ($8::bigint[])[u.i], ($9::bigint[])[u.i],
           ($10::integer[])[u.i], ($11::bigint[])[u.i], u.customer_id, now(),
           now() + ($12::bigint[])[u.i] * interval '1 millisecond'
    FROM levels_matched, unnest($5::text[]) WITH ORDINALITY AS u (customer_id, i)
), ledger AS (
    INSERT INTO inventory.movement (level_id, version, kind, quantity, reservation_id, created_at)
    SELECT ($8::bigint[])[u.i], ($9::bigint[])[u.i], 1, ($10::integer[])[u.i], u.id, now()
    FROM unnest($6::uuid[]) WITH ORDINALITY AS u (id, i)
), logged AS (
    INSERT INTO inventory.commit_log (level_ids, versions_found, versions_left) VALUES ($1, $2, $3)
)
SELECT ok, (extract(epoch FROM now()) * 1000000)::bigint AS now_us FROM levels_matched
