SELECT status FROM orders.sandbox_payment WHERE payment_id = $1 AND known_at <= now()
