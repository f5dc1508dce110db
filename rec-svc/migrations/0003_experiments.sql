-- Experiments and flags: what they are, who met them, and what it came to.

CREATE TABLE recs.layer (
    id text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 64),
    -- Its place on the line of all layers' buckets.
    no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    holdout_millionths integer NOT NULL DEFAULT 0 CHECK (holdout_millionths BETWEEN 0 AND 1000000)
);

CREATE TABLE recs.experiment (
    id text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 64),
    layer_id text NOT NULL REFERENCES recs.layer,
    -- layer.no * 1,000,000 + its buckets.
    buckets int8range NOT NULL CHECK (NOT isempty(buckets)),
    -- When exposures count; empty where it was stopped before it started.
    during tstzrange NOT NULL,
    design jsonb NOT NULL,
    stopped_at timestamptz,
    -- How far each log is folded: (xact, seq).
    outcome_xact bigint NOT NULL,
    outcome_seq bigint NOT NULL,
    event_xact bigint NOT NULL,
    event_seq bigint NOT NULL,
    -- No unit is in two experiments of a layer at once.
    CONSTRAINT experiment_buckets EXCLUDE USING gist (buckets WITH &&, during WITH &&)
);

CREATE TABLE recs.flag (
    id text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 64),
    design jsonb NOT NULL
);

-- Who met the difference, from when on their outcomes count, and what they add to the sums.
CREATE TABLE recs.experiment_unit (
    experiment_id text NOT NULL REFERENCES recs.experiment,
    unit_id text NOT NULL CHECK (char_length(unit_id) BETWEEN 1 AND 128),
    variant smallint NOT NULL CHECK (variant >= 0),
    exposed_at timestamptz NOT NULL CHECK (isfinite(exposed_at)),
    -- Whether `reading` is of `exposed_at`.
    folded boolean NOT NULL DEFAULT false,
    -- What is in the sums, two numbers a metric; null where nothing is.
    reading float8[],
    PRIMARY KEY (experiment_id, unit_id),
    CHECK (reading IS NOT NULL OR NOT folded)
);

-- Whose time is over next.
CREATE INDEX experiment_unit_due ON recs.experiment_unit (experiment_id, exposed_at) WHERE NOT folded;

-- How many units each variant has. Counted in slots, so that writers seldom wait for each other.
CREATE TABLE recs.experiment_exposed (
    experiment_id text NOT NULL REFERENCES recs.experiment,
    variant smallint NOT NULL,
    slot smallint NOT NULL,
    units bigint NOT NULL CHECK (units > 0),
    PRIMARY KEY (experiment_id, variant, slot)
) WITH (fillfactor = 50); -- room for heap-only updates

-- The sums of units whose time is over: all a look needs.
CREATE TABLE recs.experiment_sum (
    experiment_id text NOT NULL REFERENCES recs.experiment,
    variant smallint NOT NULL,
    metric smallint NOT NULL,
    units bigint NOT NULL CHECK (units >= 0),
    y float8 NOT NULL,
    w float8 NOT NULL,
    yy float8 NOT NULL,
    ww float8 NOT NULL,
    yw float8 NOT NULL,
    PRIMARY KEY (experiment_id, variant, metric)
) WITH (fillfactor = 50);

-- What metrics are made of: a log like recs.event, with one row for the customer and one for the session.
CREATE TABLE recs.outcome (
    id uuid NOT NULL,
    -- 1 customer, 2 session.
    unit_kind smallint NOT NULL CHECK (unit_kind BETWEEN 1 AND 2),
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    unit_id text NOT NULL CHECK (char_length(unit_id) BETWEEN 1 AND 128),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
    value float8 NOT NULL CHECK (abs(value) <= 1e12),
    event_time timestamptz NOT NULL CHECK (event_time >= '1970-01-01 00:00Z' AND isfinite(event_time)),
    PRIMARY KEY (id, unit_kind)
);

CREATE UNIQUE INDEX outcome_log ON recs.outcome (xact, seq);
CREATE INDEX outcome_of_unit ON recs.outcome (unit_kind, unit_id, event_time);

-- The same of events that are outcomes by themselves: few, beside the views.
CREATE INDEX event_of_customer ON recs.event (customer_id, event_time) WHERE kind IN (2, 3);
CREATE INDEX event_of_session ON recs.event (session_id, event_time) WHERE kind IN (2, 3);
