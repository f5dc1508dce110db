SELECT request_id, level_id, fingerprint, version, quantities,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM inventory.adjustment
WHERE request_id = ANY($1::uuid[])
