-- What this service's consumers have seen of others' events (holdfast_platform::bus::inbox).

-- Where each group stands in each topic.
CREATE TABLE recs.inbox_position (
    topic    text NOT NULL,
    consumer text NOT NULL,
    place bigint[] NOT NULL CHECK (cardinality(place) = 3),
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, consumer)
) WITH (fillfactor = 50); -- room for heap-only updates: it moves with every batch

-- Each key's last event: whatever is not later was seen before.
CREATE TABLE recs.inbox (
    topic    text NOT NULL,
    consumer text NOT NULL,
    key      text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, consumer, key)
) WITH (fillfactor = 80);

-- Events that could not be handled, and those of the same key that came after them.
CREATE TABLE recs.inbox_parked (
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
