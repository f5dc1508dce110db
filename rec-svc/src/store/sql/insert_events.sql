-- One order for everybody, so that two requests with the same ids wait for each other but never in a circle.
INSERT INTO recs.event (id, kind, customer_id, session_id, product_id, event_time)
SELECT id, kind, customer_id, session_id, product_id, event_time
FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS new (id, kind, customer_id, session_id, product_id, event_time)
ORDER BY id
ON CONFLICT (id) DO NOTHING
