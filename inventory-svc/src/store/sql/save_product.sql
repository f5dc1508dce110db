-- Writes one decided upsert, or nothing: no row comes back where the product is at another version than it was decided
-- on. New SKUs go in sorted, so that two products wanting the same ones never wait for each other in a circle; one that
-- was taken meanwhile is a unique violation, which undoes the statement.
WITH written AS (
    INSERT INTO inventory.product AS p
        (id, brand_id, title, description, category, status, tags, attributes, version, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, clock_timestamp())
    ON CONFLICT (id) DO UPDATE
    SET brand_id = excluded.brand_id, title = excluded.title, description = excluded.description,
        category = excluded.category, status = excluded.status, tags = excluded.tags,
        attributes = excluded.attributes, version = p.version + 1, updated_at = excluded.updated_at
    WHERE p.version = $9
    RETURNING id, version, updated_at
), wanted AS (
    SELECT *
    FROM unnest($10::text[], $11::boolean[], $12::integer[], $13::jsonb[], $14::text[], $15::text[], $16::bigint[],
                $17::jsonb[], $18::boolean[])
        AS u (sku, is_new, position, options, gtin, price_currency, price_minor, attributes, retired)
), added AS (
    INSERT INTO inventory.variant
        (sku, product_id, position, options, gtin, price_currency, price_minor, attributes, retired)
    SELECT u.sku, written.id, u.position, u.options, u.gtin, u.price_currency, u.price_minor, u.attributes, u.retired
    FROM written CROSS JOIN wanted u
    WHERE u.is_new
    ORDER BY u.sku
), changed AS (
    -- Every one of them is there. An UPDATE would be free to read the whole table; this goes through the key.
    INSERT INTO inventory.variant
        (sku, product_id, position, options, gtin, price_currency, price_minor, attributes, retired)
    SELECT u.sku, written.id, u.position, u.options, u.gtin, u.price_currency, u.price_minor, u.attributes, u.retired
    FROM written CROSS JOIN wanted u
    WHERE NOT u.is_new
    ON CONFLICT (sku) DO UPDATE
    SET position = excluded.position, options = excluded.options, gtin = excluded.gtin,
        price_currency = excluded.price_currency, price_minor = excluded.price_minor,
        attributes = excluded.attributes, retired = excluded.retired
)
SELECT version, updated_at FROM written
