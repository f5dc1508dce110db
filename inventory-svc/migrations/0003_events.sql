-- What others may know of stock: the ledger's rows as events of topic `inventory`. The three functions below are its
-- public side (holdfast_platform::bus::ledger); the tables behind them stay the service's own.
--
-- A place is (transaction, seq, ordinal within the commit) along the commit log. The log is shortened, the ledger never:
-- whoever comes from before the log's beginning reads the ledger itself, level by level, and then the log from where
-- reading began. A place in there is (-transaction, level, version): minus where the log is to be taken up.

ALTER TABLE inventory.commit_log ADD COLUMN at timestamptz NOT NULL DEFAULT now();

-- The last transaction that was cut off the log.
CREATE TABLE inventory.commit_log_horizon (
    xid bigint NOT NULL CHECK (xid >= 0)
);
INSERT INTO inventory.commit_log_horizon
SELECT CASE WHEN EXISTS (SELECT 1 FROM inventory.movement)
            THEN pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 ELSE 0 END;

CREATE FUNCTION inventory.published_events(after bigint[], events_max bigint)
RETURNS TABLE (place bigint[], key text, sequence bigint, occur_time timestamptz, traceparent text,
               schema_version integer, type text, sku text, location_id text, version bigint, kind integer,
               quantity bigint, reservation_id text, reason text, create_time timestamptz)
LANGUAGE plpgsql STABLE
SET join_collapse_limit = 1 -- the joins below are written in the order that goes through keys
AS $$
#variable_conflict use_column
DECLARE
    reasons constant text[] := '{RECEIVED,COUNTED,DAMAGED,RETURNED,CORRECTED,FEED}';
    message constant text := 'holdfast.events.v1.Movement';
    horizon constant bigint := (SELECT h.xid FROM inventory.commit_log_horizon h);
    history constant bigint[] := ARRAY[-pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0, 0];
BEGIN
    -- Of the last transaction that was cut off, a place may have seen no more than a part.
    IF after[1] >= 0 AND horizon > 0 AND (after[1], after[2]) < (horizon, 9223372036854775807) THEN
        after := history;
    END IF;
    WHILE after[1] < 0 LOOP
        RETURN QUERY
        SELECT ARRAY[after[1], m.level_id, m.version], l.sku || '@' || l.location_id, m.version, m.created_at,
               NULL::text, 1, message, l.sku, l.location_id, m.version, m.kind::integer, m.quantity::bigint,
               m.reservation_id::text, reasons[m.reason], m.created_at
        FROM inventory.movement m
        JOIN inventory.stock_level l ON l.id = m.level_id
        WHERE (m.level_id, m.version) > (after[2], after[3])
        ORDER BY m.level_id, m.version
        LIMIT events_max;
        IF FOUND THEN
            RETURN;
        END IF;
        -- Where the log was cut beyond its place while history was read, that is read again.
        after := CASE WHEN -after[1] > horizon OR after[1] = history[1] THEN ARRAY[-after[1], 0, 0] ELSE history END;
    END LOOP;
    RETURN QUERY
    SELECT ARRAY[c.xid::text::bigint, c.seq, (u.nth << 32) + m.version - u.found], l.sku || '@' || l.location_id,
           m.version, m.created_at, NULL::text, 1, message, l.sku, l.location_id, m.version, m.kind::integer,
           m.quantity::bigint, m.reservation_id::text, reasons[m.reason], m.created_at
    FROM inventory.commit_log c
    CROSS JOIN LATERAL unnest(c.level_ids, c.versions_found, c.versions_left) WITH ORDINALITY
        AS u (level_id, found, reached, nth)
    JOIN inventory.stock_level l ON l.id = u.level_id
    JOIN inventory.movement m ON m.level_id = u.level_id AND m.version > u.found AND m.version <= u.reached
    WHERE (c.xid, c.seq) >= (after[1]::text::xid8, after[2]) AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (c.xid, c.seq, (u.nth << 32) + m.version - u.found) > (after[1]::text::xid8, after[2], after[3])
    ORDER BY c.xid, c.seq, (u.nth << 32) + m.version - u.found
    LIMIT events_max;
END $$;

CREATE FUNCTION inventory.published_end() RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY[pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807, 0]
$$;

-- For operators: goes through the log from its beginning. A time before that begins with the whole ledger, and so does
-- any where all of the log was cut off.
CREATE FUNCTION inventory.published_at(since timestamptz) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT CASE WHEN at >= since THEN '{0,0,0}' END::bigint[] FROM inventory.commit_log
                     ORDER BY xid, seq LIMIT 1),
                    (SELECT ARRAY[xid::text::bigint, seq - 1, 9223372036854775807] FROM inventory.commit_log
                     WHERE at >= since ORDER BY xid, seq LIMIT 1),
                    (SELECT '{0,0,0}'::bigint[] FROM inventory.commit_log_horizon
                     WHERE xid > 0 AND NOT EXISTS (SELECT 1 FROM inventory.commit_log)),
                    inventory.published_end())
$$;

-- What this service's consumers have seen of others' events (holdfast_platform::bus::inbox).

-- Where each group stands in each topic.
CREATE TABLE inventory.inbox_position (
    topic    text NOT NULL,
    consumer text NOT NULL,
    place bigint[] NOT NULL CHECK (cardinality(place) = 3),
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, consumer)
) WITH (fillfactor = 50); -- room for heap-only updates: it moves with every batch

-- Each key's last event: whatever is not later was seen before.
CREATE TABLE inventory.inbox (
    topic    text NOT NULL,
    consumer text NOT NULL,
    key      text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, consumer, key)
) WITH (fillfactor = 80);

-- Events that could not be handled, and those of the same key that came after them.
CREATE TABLE inventory.inbox_parked (
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
