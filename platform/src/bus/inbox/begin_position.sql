INSERT INTO inbox_position (topic, consumer, place) VALUES ($1, $2, $3)
ON CONFLICT (topic, consumer) DO NOTHING
