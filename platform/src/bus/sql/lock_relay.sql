SELECT pg_try_advisory_lock(hashtextextended('holdfast relay ' || $1, 0)) AS locked
