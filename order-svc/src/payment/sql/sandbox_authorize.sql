INSERT INTO orders.sandbox_payment AS payment (payment_id, reference, status, currency, amount_minor, known_at)
VALUES ($1, $2, $3, $4, $5, now() + $6::bigint * interval '1 millisecond')
ON CONFLICT (payment_id) DO UPDATE SET asked = payment.asked + 1
RETURNING status
