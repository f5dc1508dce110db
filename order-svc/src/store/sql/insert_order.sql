-- Writes the order down before anything else happens; returns nothing where its id or its reservation is taken.
WITH made AS (
    INSERT INTO orders.sales_order (id, fingerprint, customer_id, state, payment_state, step, due_at, reservation_id,
        reservation_taken_over, lines, currency, total_minor, payment_provider, payment_token)
    VALUES ($1, $2, $3, $4, $5, $6, now() + $7::bigint * interval '1 millisecond', $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT DO NOTHING
    RETURNING id, version, state, payment_state, create_time
), told AS (
    INSERT INTO orders.event (order_id, order_version, state, payment_state, traceparent)
    SELECT id, version, state, payment_state, $15 FROM made
)
SELECT version, create_time FROM made
