-- Nobody moves an exposure while its reading is computed. One order, as in insert_exposures.sql.
SELECT unit_id, variant, reading FROM recs.experiment_unit
WHERE experiment_id = $1 AND unit_id = ANY ($2)
ORDER BY unit_id
FOR NO KEY UPDATE
