SELECT * FROM published_events($1::bigint[], $2::bigint)
