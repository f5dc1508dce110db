INSERT INTO inbox_position (topic, consumer, place) VALUES ($1, $2, $3)
ON CONFLICT (topic, consumer) DO UPDATE SET place = excluded.place, moved_at = now()
