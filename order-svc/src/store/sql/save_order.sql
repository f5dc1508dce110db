-- Writes a saga's next step, unless another executor wrote since: then it returns nothing.
WITH saved AS (
    UPDATE orders.sales_order
    SET step = $3,
        state = $4,
        payment_state = $5,
        attempts = $6,
        -- An unchanged due time touches no index.
        due_at = CASE WHEN $7 THEN due_at ELSE now() + $8::bigint * interval '1 millisecond' END,
        lines = coalesce($9, lines),
        provider_payment_id = coalesce($10, provider_payment_id),
        cancel_reason = $11,
        cancel_detail = $12,
        version = version + 1,
        update_time = now()
    WHERE id = $1 AND version = $2
    RETURNING id, version, state, payment_state, cancel_reason, update_time
), told AS (
    INSERT INTO orders.event (order_id, order_version, state, payment_state, cancel_reason, traceparent)
    SELECT id, version, state, payment_state, cancel_reason, $14 FROM saved WHERE $13
)
SELECT version, update_time FROM saved
