SELECT design FROM recs.flag ORDER BY id
