-- What others may know of orders: the table's rows as events of topic `orders`. These three functions are its public
-- side (holdfast_platform::bus::ledger); the tables behind them stay the service's own.

-- Readers go through the ledger in this order.
CREATE UNIQUE INDEX event_published ON orders.event (xid, id);

-- How often the ledger was put in order anew, and its readers with it: part of each place. One of another number is
-- none in this order, and whoever comes with it begins again.
CREATE TABLE orders.event_order (
    number bigint NOT NULL CHECK (number >= 0)
);
INSERT INTO orders.event_order VALUES (0);

-- Where a call's trace goes on.
ALTER TABLE orders.event ADD COLUMN traceparent text;

CREATE FUNCTION orders.published_events(after bigint[], events_max bigint)
RETURNS TABLE (place bigint[], key text, sequence bigint, occur_time timestamptz, traceparent text,
               schema_version integer, type text, order_id text, version bigint, customer_id text, state text,
               payment_state text, cancel_reason text, lines jsonb, currency_code text, total_minor bigint)
LANGUAGE sql STABLE AS $$
    SELECT ARRAY[e.xid::text::bigint, e.id, (SELECT number FROM orders.event_order)], e.order_id::text, e.order_version::bigint, e.at, e.traceparent, 1,
           'holdfast.events.v1.OrderChanged'::text, e.order_id::text, e.order_version::bigint, o.customer_id, e.state,
           e.payment_state, e.cancel_reason, o.lines, o.currency, o.total_minor
    FROM orders.event e
    JOIN orders.sales_order o ON o.id = e.order_id
    WHERE (e.xid, e.id) > (CASE after[3] WHEN (SELECT number FROM orders.event_order) THEN after[1] ELSE 0 END::text::xid8,
                           CASE after[3] WHEN (SELECT number FROM orders.event_order) THEN after[2] ELSE 0 END)
      AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid, e.id
    LIMIT events_max
$$;

CREATE FUNCTION orders.published_end() RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY[pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807,
                 (SELECT number FROM orders.event_order)]
$$;

-- For operators: goes through the ledger from its beginning.
CREATE FUNCTION orders.published_at(since timestamptz) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT ARRAY[xid::text::bigint, id - 1, (SELECT number FROM orders.event_order)]
                     FROM orders.event WHERE at >= since
                     ORDER BY xid, id LIMIT 1),
                    orders.published_end())
$$;

-- What this service's consumers have seen of others' events (holdfast_platform::bus::inbox).

-- Where each group stands in each topic.
CREATE TABLE orders.inbox_position (
    topic    text NOT NULL,
    consumer text NOT NULL,
    place bigint[] NOT NULL CHECK (cardinality(place) = 3),
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, consumer)
) WITH (fillfactor = 50); -- room for heap-only updates: it moves with every batch

-- Each key's last event: whatever is not later was seen before.
CREATE TABLE orders.inbox (
    topic    text NOT NULL,
    consumer text NOT NULL,
    key      text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, consumer, key)
) WITH (fillfactor = 80);

-- Events that could not be handled, and those of the same key that came after them.
CREATE TABLE orders.inbox_parked (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text NOT NULL,
    consumer  text NOT NULL,
    key       text NOT NULL,
    sequence  bigint NOT NULL,
    event_id  text NOT NULL,
    envelope  bytea NOT NULL,
    -- Why; null where it only waits behind an earlier event of its key.
    cause     text,
    attempts  integer NOT NULL CHECK (attempts >= 0),
    -- An operator wants it tried again.
    released  boolean NOT NULL DEFAULT false,
    parked_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (topic, consumer, key, sequence)
);
