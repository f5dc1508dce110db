UPDATE orders.sandbox_payment
SET status = CASE status WHEN 'CAPTURED' THEN 'REFUNDED' ELSE status END
WHERE payment_id = $1 AND known_at <= now()
RETURNING status
