-- Takes the lease of one order, where nobody works on it.
UPDATE orders.sales_order
SET due_at = now() + $2::bigint * interval '1 millisecond', version = version + 1
WHERE id = $1 AND due_at <= now()
RETURNING id, fingerprint, customer_id, state, payment_state, step, attempts, reservation_id, reservation_taken_over, lines,
    currency, total_minor, payment_provider, payment_token, provider_payment_id, cancel_reason, cancel_detail, version,
    create_time, update_time
