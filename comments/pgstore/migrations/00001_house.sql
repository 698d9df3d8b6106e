-- +goose Up

-- What is a site's own begins its keys with the site, so that a sharded PostgreSQL can
-- spread it by site and keep together what is changed together: see CITUS.md. Times have
-- millisecond precision; the zero time is NULL.

CREATE TABLE about (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    installation text NOT NULL,
    fingerprint  text NOT NULL -- of the secret that the journals are chained with
);

CREATE TABLE sites (
    id         text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    origins    text[],
    settings   jsonb NOT NULL,
    created_at timestamptz,
    version    bigint NOT NULL
);

-- One row a site, and '*' for the installation: the end of its journal and its counts.
-- Whoever changes anything of the site locks this row, and no other.
CREATE TABLE heads (
    site     text COLLATE "C" PRIMARY KEY,
    epoch    bigint NOT NULL, -- random: tells a site from one of the same id before it
    seq      bigint NOT NULL,
    chain    bytea,
    pending  bigint NOT NULL,
    approved bigint NOT NULL,
    rejected bigint NOT NULL,
    spam     bigint NOT NULL,
    trashed  bigint NOT NULL,
    suspect  bigint NOT NULL  -- pending, with a signal of level hold or above
) WITH (fillfactor = 50);

CREATE TABLE pages (
    site       text COLLATE "C" NOT NULL,
    id         uuid NOT NULL, -- first half of SHA-256 over site, NUL and key
    key        text NOT NULL,
    url        text NOT NULL,
    title      text NOT NULL,
    closed     boolean NOT NULL,
    pending    bigint NOT NULL,
    approved   bigint NOT NULL,
    rejected   bigint NOT NULL,
    spam       bigint NOT NULL,
    trashed    bigint NOT NULL,
    created_at timestamptz,
    PRIMARY KEY (site, id)
) WITH (fillfactor = 70);

CREATE TABLE comments (
    site       text COLLATE "C" NOT NULL,
    id         uuid NOT NULL, -- version 7: its order is the order of writing
    page       uuid NOT NULL,
    parent     uuid,
    name       text NOT NULL,
    title      text NOT NULL,
    content    text NOT NULL,
    lang       text NOT NULL,
    status     text COLLATE "C" NOT NULL
               CHECK (status IN ('pending', 'approved', 'rejected', 'spam', 'trashed')),
    version    bigint NOT NULL,
    seq        bigint NOT NULL, -- of its last event
    signals    jsonb,
    suspect    boolean NOT NULL, -- has a signal of level hold or above
    created_at timestamptz,
    edited_at  timestamptz,
    PRIMARY KEY (site, id)
);

-- Each queue and each thread is one range of one of these.
CREATE INDEX comments_thread   ON comments (site, page, id) WHERE status = 'approved';
CREATE INDEX comments_pending  ON comments (site, id) WHERE status = 'pending';
CREATE INDEX comments_approved ON comments (site, id) WHERE status = 'approved';
CREATE INDEX comments_rejected ON comments (site, id) WHERE status = 'rejected';
CREATE INDEX comments_spam     ON comments (site, id) WHERE status = 'spam';
CREATE INDEX comments_trashed  ON comments (site, id) WHERE status = 'trashed';
CREATE INDEX comments_suspect  ON comments (site, id) WHERE status = 'pending' AND suspect;

CREATE TABLE events (
    site        text COLLATE "C" NOT NULL,
    seq         bigint NOT NULL,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    kind        text NOT NULL,
    comment     uuid,
    subject     text NOT NULL,
    from_status text NOT NULL, -- '' = outside
    to_status   text NOT NULL,
    version     bigint NOT NULL,
    reason      text NOT NULL,
    detail      bytea, -- salted hash of the row in details
    chain       bytea NOT NULL,
    PRIMARY KEY (site, seq)
);

CREATE INDEX events_comment ON events (site, comment, seq) WHERE comment IS NOT NULL;

-- What was typed with an event: erasable, unlike the event.
CREATE TABLE details (
    site   text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    salt   bytea NOT NULL,
    reason text NOT NULL,
    note   text NOT NULL,
    PRIMARY KEY (site, seq),
    FOREIGN KEY (site, seq) REFERENCES events (site, seq)
);

CREATE TABLE spent (
    site    text COLLATE "C" NOT NULL,
    id      uuid NOT NULL, -- of the ticket
    expires timestamptz NOT NULL,
    comment uuid NOT NULL,
    words   bytea NOT NULL,
    PRIMARY KEY (site, id)
);

CREATE INDEX spent_expires ON spent (expires, id);

CREATE TABLE addresses (
    site    text COLLATE "C" NOT NULL,
    comment uuid NOT NULL,
    addr    inet NOT NULL,
    expires timestamptz NOT NULL,
    PRIMARY KEY (site, comment),
    FOREIGN KEY (site, comment) REFERENCES comments (site, id)
);

CREATE INDEX addresses_expires ON addresses (expires);

-- What nodes share and nobody misses after a crash.
CREATE UNLOGGED TABLE dead_tickets (
    id      uuid PRIMARY KEY,
    wrong   bigint NOT NULL, -- answers
    expires timestamptz NOT NULL
);

CREATE INDEX dead_tickets_expires ON dead_tickets (expires);

CREATE UNLOGGED TABLE limits (
    meter   text COLLATE "C" NOT NULL,
    site    text COLLATE "C" NOT NULL,
    who     text COLLATE "C" NOT NULL, -- a network, or the hash of an account
    uses    bigint[] NOT NULL, -- Unix microseconds, oldest first
    until   bigint NOT NULL,   -- when no rule asks for them any more
    PRIMARY KEY (meter, site, who)
) WITH (fillfactor = 50);

CREATE INDEX limits_until ON limits (until);

-- +goose Down
DROP TABLE limits, dead_tickets, addresses, spent, details, events, comments, pages, heads, sites, about;
