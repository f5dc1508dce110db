-- The log of what shoppers did. The model is a pure function of these rows in the order (xact, seq).
CREATE TABLE recs.event (
    -- Made by the client: a repeated event is the same row.
    id uuid PRIMARY KEY,
    -- The writing transaction. Sequence order is not commit order: a reader that stays below the oldest running
    -- transaction sees every (xact, seq) before it for good, whoever else is writing.
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    -- 1 view, 2 add to cart, 3 purchase.
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    customer_id text CHECK (char_length(customer_id) BETWEEN 1 AND 128),
    session_id text CHECK (char_length(session_id) BETWEEN 1 AND 128),
    product_id text NOT NULL CHECK (char_length(product_id) BETWEEN 1 AND 255),
    event_time timestamptz NOT NULL CHECK (event_time >= '1970-01-01 00:00Z' AND isfinite(event_time)),
    record_time timestamptz NOT NULL DEFAULT now(),
    CHECK (customer_id IS NOT NULL OR session_id IS NOT NULL)
);

CREATE UNIQUE INDEX event_log ON recs.event (xact, seq);
