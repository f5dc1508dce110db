-- Whether every level a batch of refusals rests on is still at the version they were decided at, and none of the
-- requests was granted before.
SELECT count(*) = cardinality($1::bigint[])
       AND NOT EXISTS (SELECT 1 FROM inventory.reservation WHERE id = ANY($4::uuid[]))
       AND NOT EXISTS (SELECT 1 FROM inventory.adjustment WHERE request_id = ANY($4::uuid[])) AS matched,
       (extract(epoch FROM now()) * 1000000)::bigint AS now_us,
       $3::boolean AND EXISTS (SELECT 1 FROM inventory.reservation WHERE state = 1 AND expires_at <= now()) AS due
FROM unnest($1::bigint[], $2::bigint[]) AS u (id, version_found)
JOIN inventory.stock_level l ON l.id = u.id AND l.version = u.version_found
