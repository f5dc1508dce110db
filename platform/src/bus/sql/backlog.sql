SELECT count(*) AS events, min(occur_time) AS oldest FROM published_events($1::bigint[], $2::bigint)
