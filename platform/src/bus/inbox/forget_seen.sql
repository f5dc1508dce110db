DELETE FROM inbox WHERE topic = $1 AND consumer = $2
