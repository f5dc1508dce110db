SELECT published_at($1::timestamptz) AS place
