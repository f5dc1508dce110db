INSERT INTO inbox_position (topic, consumer, place)
SELECT $1, u.consumer, ARRAY[0, u.arrived_ms, u.next] FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (consumer, arrived_ms, next)
ORDER BY u.consumer
ON CONFLICT (topic, consumer) DO UPDATE SET place = excluded.place, moved_at = now()
