UPDATE inbox_parked SET cause = $2, attempts = attempts + 1, released = false WHERE id = $1
