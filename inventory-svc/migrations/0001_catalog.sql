-- The catalogue: what the shop sells and where it keeps it. Nothing here is ever deleted: the stock ledger refers to it.
-- The CHECKs pair with the bounds of src/domain; free attributes are bounded there alone (in bytes of compact JSON,
-- which jsonb does not keep).

-- The longest of some texts, in characters: a CHECK may not look into an array by itself.
CREATE FUNCTION inventory.chars_max(texts text[]) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(max(char_length(t)), 0) FROM unnest(texts) AS t);

-- Whether an object is what sets a variant apart from its siblings: few pairs of short texts.
CREATE FUNCTION inventory.is_options(options jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT count(*) <= 10
       AND coalesce(bool_and(char_length(key) BETWEEN 1 AND 255
                             AND jsonb_typeof(value) = 'string'
                             AND char_length(value #>> '{}') <= 255), true)
    FROM jsonb_each(options)
);

CREATE TABLE inventory.brand (
    id           text PRIMARY KEY CHECK (id ~ '^[a-z0-9_-]{1,64}$'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 255)
);

CREATE TABLE inventory.location (
    id           text PRIMARY KEY CHECK (id ~ '^[a-z0-9_-]{1,64}$'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 255),
    priority     integer NOT NULL
);
CREATE INDEX location_by_priority ON inventory.location (priority, id);

-- Where stock goes that names no location.
INSERT INTO inventory.location (id, display_name, priority) VALUES ('main', 'Main', 0);

CREATE TABLE inventory.product (
    id          text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 255 AND strpos(id, '/') = 0),
    brand_id    text NOT NULL REFERENCES inventory.brand (id),
    title       text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 500),
    description text NOT NULL CHECK (char_length(description) <= 100000),
    category    text NOT NULL CHECK (char_length(category) <= 500),
    -- 1 active, 2 draft, 3 archived
    status      smallint NOT NULL CHECK (status BETWEEN 1 AND 3),
    tags        text[] NOT NULL CHECK (cardinality(tags) <= 250 AND inventory.chars_max(tags) <= 255),
    attributes  jsonb NOT NULL CHECK (jsonb_typeof(attributes) = 'object'),
    -- +1 for every change of the product or any of its variants
    version     bigint NOT NULL CHECK (version > 0),
    updated_at  timestamptz NOT NULL
);
CREATE INDEX product_of_brand ON inventory.product (brand_id, id);

CREATE TABLE inventory.variant (
    sku            text PRIMARY KEY CHECK (char_length(sku) BETWEEN 1 AND 100),
    product_id     text NOT NULL REFERENCES inventory.product (id),
    -- its place among its siblings; where it was last, once retired
    position       integer NOT NULL CHECK (position >= 0),
    options        jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object' AND inventory.is_options(options)),
    -- GTIN-14; not unique: shops do sell one good under several SKUs
    gtin           text CHECK (gtin ~ '^[0-9]{14}$'),
    price_currency text CHECK (price_currency ~ '^[A-Z]{3}$'),
    price_minor    bigint CHECK (price_minor >= 0),
    attributes     jsonb NOT NULL CHECK (jsonb_typeof(attributes) = 'object'),
    retired        boolean NOT NULL DEFAULT false,
    CHECK ((price_currency IS NULL) = (price_minor IS NULL))
);
CREATE INDEX variant_of_product ON inventory.variant (product_id);
