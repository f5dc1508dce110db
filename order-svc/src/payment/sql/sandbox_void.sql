UPDATE orders.sandbox_payment
SET status = CASE status WHEN 'AUTHORIZED' THEN 'VOIDED' ELSE status END
WHERE payment_id = $1 AND known_at <= now()
RETURNING status
