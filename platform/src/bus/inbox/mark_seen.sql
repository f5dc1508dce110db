-- In key order, so that members never wait for each other in a circle. Whoever comes late changes fewer rows.
INSERT INTO inbox (topic, consumer, key, sequence)
SELECT $1, $2, u.key, u.sequence FROM unnest($3::text[], $4::bigint[]) AS u (key, sequence) ORDER BY u.key
ON CONFLICT (topic, consumer, key) DO UPDATE SET sequence = excluded.sequence WHERE inbox.sequence < excluded.sequence
