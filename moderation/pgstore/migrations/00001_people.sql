-- +goose Up

-- Moderators and how they prove who they are. They belong to the installation.

CREATE TABLE moderators (
    id            text COLLATE "C" PRIMARY KEY,
    email         text COLLATE "C" NOT NULL UNIQUE,
    role          text NOT NULL,
    sites         text[],
    password_hash text NOT NULL,
    disabled      boolean NOT NULL,
    created_at    timestamptz,
    version       bigint NOT NULL,
    signed_out_at timestamptz
);

CREATE TABLE tokens (
    hash       bytea PRIMARY KEY,
    moderator  text COLLATE "C" NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    created_at timestamptz
);

CREATE INDEX tokens_moderator ON tokens (moderator);

CREATE TABLE links (
    hash      bytea PRIMARY KEY,
    moderator text COLLATE "C" NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    expires   timestamptz NOT NULL,
    spent_by  uuid -- the call that used it; such a link is gone, and swept with the expired
);

CREATE INDEX links_moderator ON links (moderator);
CREATE INDEX links_expires ON links (expires);

CREATE TABLE sessions (
    hash    bytea PRIMARY KEY,
    data    bytea NOT NULL,
    expires timestamptz NOT NULL
);

CREATE INDEX sessions_expires ON sessions (expires);

-- +goose Down
DROP TABLE sessions, links, tokens, moderators;
