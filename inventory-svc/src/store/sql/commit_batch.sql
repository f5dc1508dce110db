-- Writes one decided batch, or nothing. Levels first, in key order, then reservations: one lock order for everybody.
-- Both counts must match, else the batch was decided on something that is no longer so.
WITH moved AS (
    UPDATE inventory.stock_level l
    SET version = u.version_left, on_hand = u.on_hand, unavailable = u.unavailable, safety = u.safety,
        held = u.held, committed = u.committed, incoming = u.incoming, in_transit = u.in_transit, updated_at = now()
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::bigint[])
        AS u (id, version_found, version_left, on_hand, unavailable, safety, held, committed, incoming, in_transit)
    WHERE l.id = u.id AND l.version = u.version_found
    RETURNING 1
), unmoved AS (
    SELECT 1
    FROM unnest($11::bigint[], $12::bigint[]) AS u (id, version_found)
    JOIN inventory.stock_level l ON l.id = u.id AND l.version = u.version_found
), levels_matched AS MATERIALIZED (
    SELECT inventory.assert_matched(
        (SELECT count(*) FROM moved) + (SELECT count(*) FROM unmoved)
        + (SELECT count(*) FROM inventory.reservation WHERE id = ANY($46::uuid[]))
        + (SELECT count(*) FROM inventory.adjustment WHERE request_id = ANY($46::uuid[])),
        cardinality($1) + cardinality($11)) AS ok
), transitioned AS (
    UPDATE inventory.reservation r
    SET state = u.to_state,
        restocked = r.restocked OR u.restocks,
        expires_at = CASE WHEN u.ttl_ms IS NULL THEN r.expires_at
                          ELSE greatest(r.expires_at, now() + u.ttl_ms * interval '1 millisecond') END
    FROM levels_matched,
         unnest($13::uuid[], $14::smallint[], $15::smallint[], $16::smallint[], $17::bigint[], $18::boolean[])
             AS u (id, from_state, to_state, clock, ttl_ms, restocks)
    WHERE r.id = u.id AND r.state = u.from_state AND NOT (u.restocks AND r.restocked)
      AND CASE u.clock WHEN 1 THEN r.expires_at > now() WHEN 2 THEN r.expires_at <= now() ELSE true END
    RETURNING 1
), held AS (
    INSERT INTO inventory.reservation
        (id, line, state, level_id, version, quantity, fingerprint, customer_id, created_at, expires_at)
    SELECT u.id, u.line, 1, u.level_id, u.version, u.quantity, u.fingerprint, u.customer_id, now(),
           now() + u.ttl_ms * interval '1 millisecond'
    FROM levels_matched,
         unnest($19::uuid[], $20::smallint[], $21::bigint[], $22::bigint[], $23::integer[], $24::bigint[], $25::text[],
                $26::bigint[])
             AS u (id, line, level_id, version, quantity, fingerprint, customer_id, ttl_ms)
), ledger AS (
    INSERT INTO inventory.movement (level_id, version, kind, quantity, reservation_id, reason, created_at)
    SELECT u.level_id, u.version, u.kind, u.quantity, u.reservation_id, u.reason, now()
    FROM unnest($27::bigint[], $28::bigint[], $29::smallint[], $30::integer[], $31::uuid[], $32::smallint[])
        AS u (level_id, version, kind, quantity, reservation_id, reason)
), adjusted AS (
    INSERT INTO inventory.adjustment (request_id, level_id, fingerprint, version, created_at, quantities)
    SELECT u.request_id, u.level_id, u.fingerprint, u.version, now(),
           ARRAY[u.on_hand, u.unavailable, u.safety, u.held, u.committed, u.incoming, u.in_transit]
    FROM unnest($33::uuid[], $34::bigint[], $35::bigint[], $36::bigint[], $37::bigint[], $38::bigint[], $39::bigint[],
                $40::bigint[], $41::bigint[], $42::bigint[], $43::bigint[])
        AS u (request_id, level_id, fingerprint, version, on_hand, unavailable, safety, held, committed, incoming,
              in_transit)
), logged AS (
    INSERT INTO inventory.commit_log (level_ids, versions_found, versions_left)
    SELECT $1, $2, $3 WHERE cardinality($1) > 0
)
SELECT inventory.assert_matched((SELECT count(*) FROM transitioned), $44::bigint) AS transitions_matched,
       (extract(epoch FROM now()) * 1000000)::bigint AS now_us,
       $45::boolean AND EXISTS (SELECT 1 FROM inventory.reservation WHERE state = 1 AND expires_at <= now()) AS due
FROM levels_matched;
