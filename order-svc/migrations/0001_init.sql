-- One row per order: what was ordered, and where its saga stands. Lines are read and written with their order and
-- never change alone, so they live in it.
CREATE TABLE orders.sales_order (
    -- The client's request id.
    id uuid PRIMARY KEY,
    -- +1 per write; fences off executors that lost their lease.
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- xxh3 of the request as it was asked: tells a repeat from a reuse.
    fingerprint bigint NOT NULL,
    customer_id text NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 128),
    state text NOT NULL CHECK (state IN ('PENDING', 'PLACED', 'CANCELLED')),
    payment_state text NOT NULL
        CHECK (payment_state IN ('NONE', 'AUTHORIZED', 'CAPTURED', 'REFUNDED', 'FAILED', 'VOIDED')),
    -- What the saga does next. At rest: PLACED (sold, paid, units committed) and CANCELLED (undone). WATCH is undone
    -- too, but its charge was never answered for and is still looked for. Everything else is under way.
    step text NOT NULL CHECK (step IN ('RESERVE', 'AUTHORIZE', 'LOOKUP', 'CONFIRM', 'CAPTURE', 'PLACED', 'VOID',
                                       'REFUND', 'RELEASE', 'RESTOCK', 'WATCH', 'CANCELLED')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- While somebody works on it: when their lease ends. Between tries: when the next is due. At rest: null.
    due_at timestamptz,
    -- In schema `inventory`; one reservation is bought by one order.
    reservation_id uuid NOT NULL,
    -- Whether the shopper held it before ordering.
    reservation_taken_over boolean NOT NULL,
    -- [{"sku", "quantity", "unit_price_minor", "location_id"?}], amounts in the minor unit of `currency`.
    lines jsonb NOT NULL CHECK (jsonb_typeof(lines) = 'array' AND jsonb_array_length(lines) BETWEEN 1 AND 100),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    payment_provider text NOT NULL,
    payment_token text NOT NULL,
    -- The provider's own id, once there is one.
    provider_payment_id text,
    -- Set as soon as the order is bound to be undone: a Reason's name, or CUSTOMER.
    cancel_reason text,
    -- {"message", "metadata": {..}}: what the caller is told of it, every time.
    cancel_detail jsonb,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT sales_order_reservation_key UNIQUE (reservation_id),
    CONSTRAINT captured_is_placed CHECK (payment_state <> 'CAPTURED' OR state = 'PLACED'),
    CONSTRAINT rest_is_not_due CHECK ((step IN ('PLACED', 'CANCELLED')) = (due_at IS NULL)),
    CONSTRAINT placed_is_paid CHECK (step <> 'PLACED' OR (state = 'PLACED' AND payment_state = 'CAPTURED')),
    CONSTRAINT cancelled_holds_no_money
        CHECK (step <> 'CANCELLED' OR (state = 'CANCELLED' AND payment_state NOT IN ('AUTHORIZED', 'CAPTURED'))),
    CONSTRAINT cancelled_has_reason CHECK (state <> 'CANCELLED' OR cancel_reason IS NOT NULL)
) WITH (fillfactor = 60); -- room for the saga's own updates, so that they touch no index

CREATE INDEX sales_order_by_time ON orders.sales_order (create_time DESC, id DESC);
CREATE INDEX sales_order_by_customer ON orders.sales_order (customer_id, create_time DESC, id DESC);
CREATE INDEX sales_order_due ON orders.sales_order (due_at) WHERE due_at IS NOT NULL;

-- Append-only: one row per change of an order's state or payment, in the transaction that made it. Readers tail it
-- below the oldest running transaction (xid), since sequence order is not commit order.
CREATE TABLE orders.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    order_id uuid NOT NULL,
    -- The order's version that the change made: orders one order's events.
    order_version integer NOT NULL,
    state text NOT NULL,
    payment_state text NOT NULL,
    cancel_reason text,
    at timestamptz NOT NULL DEFAULT now()
);

-- The sandbox payment provider's own books: as if they were in its database, so nothing joins them.
CREATE TABLE orders.sandbox_payment (
    -- Our id for the payment: the idempotency key.
    payment_id uuid PRIMARY KEY,
    -- Our reference: the order.
    reference text NOT NULL,
    status text NOT NULL CHECK (status IN ('AUTHORIZED', 'CAPTURED', 'VOIDED', 'REFUNDED', 'DECLINED')),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    -- From when on the provider knows of it: later than its making for charges that come late.
    known_at timestamptz NOT NULL,
    -- How often it was asked for; one charge however often.
    asked integer NOT NULL DEFAULT 1 CHECK (asked > 0)
);
