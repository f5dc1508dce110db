SELECT id, fingerprint, customer_id, state, payment_state, step, attempts, reservation_id, reservation_taken_over, lines,
    currency, total_minor, payment_provider, payment_token, provider_payment_id, cancel_reason, cancel_detail, version,
    create_time, update_time
FROM orders.sales_order
WHERE id = $1
