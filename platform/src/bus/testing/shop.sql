-- A ledger, and the interface of every ledger (holdfast_platform::bus::ledger).
CREATE SCHEMA shop;
CREATE TABLE shop.event (
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq      bigint GENERATED ALWAYS AS IDENTITY,
    key      text NOT NULL,
    sequence bigint NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    traceparent text,
    PRIMARY KEY (xid, seq),
    UNIQUE (key, sequence)
);

CREATE FUNCTION shop.published_events(after bigint[], events_max bigint)
RETURNS TABLE (place bigint[], key text, sequence bigint, occur_time timestamptz, traceparent text,
               schema_version integer, type text, sku text, version bigint, quantity bigint, create_time timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT ARRAY[e.xid::text::bigint, e.seq, 0], e.key, e.sequence, e.at, e.traceparent, 1,
           'holdfast.events.v1.Movement'::text, e.key, e.sequence, 1::bigint, e.at
    FROM shop.event e
    WHERE (e.xid, e.seq) > (after[1]::text::xid8, after[2]) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid, e.seq
    LIMIT events_max
$$;

CREATE FUNCTION shop.published_end() RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY[pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807, 0]
$$;

CREATE FUNCTION shop.published_at(since timestamptz) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT ARRAY[xid::text::bigint, seq - 1, 0] FROM shop.event WHERE at >= since ORDER BY xid, seq LIMIT 1),
                    shop.published_end())
$$;
