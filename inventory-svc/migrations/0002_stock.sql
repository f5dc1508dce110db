-- Stock: levels, reservations and the ledger. No foreign keys on the hot tables: their rows come only from decisions
-- over levels that exist, the CHECKs below are the last line against an oversell, and `holdfast audit` proves the rest.

CREATE TABLE inventory.stock_level (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku         text NOT NULL REFERENCES inventory.variant (sku),
    location_id text NOT NULL REFERENCES inventory.location (id),
    on_hand     bigint NOT NULL DEFAULT 0,
    unavailable bigint NOT NULL DEFAULT 0,
    safety      bigint NOT NULL DEFAULT 0,
    held        bigint NOT NULL DEFAULT 0,
    committed   bigint NOT NULL DEFAULT 0,
    incoming    bigint NOT NULL DEFAULT 0,
    in_transit  bigint NOT NULL DEFAULT 0,
    version     bigint NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (sku, location_id),
    CONSTRAINT never_oversold CHECK (held + committed <= on_hand - unavailable),
    -- One short expression: the server reads constraints anew for every statement.
    CONSTRAINT bounds CHECK (
        least(on_hand, unavailable, safety, held, committed, incoming, in_transit, version) >= 0
        AND greatest(on_hand, unavailable, safety, incoming, in_transit) <= 1000000000)
) WITH (fillfactor = 50); -- room for heap-only updates: a hot level's row is rewritten thousands of times a second

-- The ledger. The key makes versions unique per level; the audit proves them gapless.
CREATE TABLE inventory.movement (
    level_id       bigint NOT NULL,
    version        bigint NOT NULL CHECK (version > 0),
    created_at     timestamptz NOT NULL,
    reservation_id uuid,
    quantity       integer NOT NULL,
    -- 1 held, 2 released, 3 expired, 4 confirmed, 5 restocked,
    -- 6 on_hand, 7 unavailable, 8 safety, 9 incoming, 10 in_transit adjusted
    kind           smallint NOT NULL CHECK (kind BETWEEN 1 AND 10),
    -- 1 received, 2 counted, 3 damaged, 4 returned, 5 corrected, 6 feed
    reason         smallint CHECK (reason BETWEEN 1 AND 6),
    PRIMARY KEY (level_id, version)
);

-- One row a line; what concerns the whole reservation is repeated on each, so that the common one-line hold is one row.
CREATE TABLE inventory.reservation (
    id          uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    level_id    bigint NOT NULL,
    version     bigint NOT NULL,
    fingerprint bigint NOT NULL,
    quantity    integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
    line        smallint NOT NULL CHECK (line BETWEEN 0 AND 99),
    -- 1 held, 2 paying, 3 confirmed, 4 released, 5 expired
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    restocked   boolean NOT NULL DEFAULT false CHECK (NOT restocked OR state = 3),
    customer_id text NOT NULL,
    PRIMARY KEY (id, line)
);
CREATE INDEX reservation_due ON inventory.reservation (expires_at) WHERE state = 1;

-- What an adjustment was answered with, for its repetition.
CREATE TABLE inventory.adjustment (
    request_id  uuid PRIMARY KEY,
    level_id    bigint NOT NULL,
    fingerprint bigint NOT NULL,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    -- on_hand, unavailable, safety, held, committed, incoming, in_transit after it
    quantities  bigint[] NOT NULL CHECK (cardinality(quantities) = 7)
);

-- One row a commit: which levels it moved from and to which version. Replicas tail it in (xid, seq) order, below the
-- oldest running transaction, because sequence order is not commit order.
CREATE TABLE inventory.commit_log (
    xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq            bigint GENERATED ALWAYS AS IDENTITY,
    level_ids      bigint[] NOT NULL,
    versions_found bigint[] NOT NULL,
    versions_left  bigint[] NOT NULL,
    PRIMARY KEY (xid, seq)
);

-- Aborts the statement that calls it unless as many rows matched as were expected.
CREATE FUNCTION inventory.assert_matched(matched bigint, expected bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF matched <> expected THEN
        RAISE EXCEPTION 'matched % of % rows', matched, expected USING ERRCODE = 'HF001';
    END IF;
    RETURN true;
END $$;
