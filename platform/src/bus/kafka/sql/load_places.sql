SELECT consumer, place FROM inbox_position WHERE topic = $1 AND consumer = ANY($2::text[])
