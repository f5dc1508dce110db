-- Takes the leases of the orders that have waited longest, past those that another worker is taking.
UPDATE orders.sales_order
SET due_at = now() + $2::bigint * interval '1 millisecond', version = version + 1
WHERE id IN (
    SELECT due.id FROM orders.sales_order AS due
    WHERE due.due_at <= now()
    ORDER BY due.due_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, fingerprint, customer_id, state, payment_state, step, attempts, reservation_id, reservation_taken_over, lines,
    currency, total_minor, payment_provider, payment_token, provider_payment_id, cancel_reason, cancel_detail, version,
    create_time, update_time
