INSERT INTO recs.flag (id, design) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET design = excluded.design
