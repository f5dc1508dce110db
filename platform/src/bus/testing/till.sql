-- What the consumer did, once per time it did it.
CREATE TABLE till.effect (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    key      text NOT NULL,
    sequence bigint NOT NULL
);
