-- +goose Up

-- Views and visitors: see package audience. They are written once a second, with a lock on
-- the site's row here and none on its head, so that comments never wait for them.

CREATE TABLE audience (
    site    text COLLATE "C" PRIMARY KEY,
    summary bytea,
    slots   bytea -- who is online, by half minutes
) WITH (fillfactor = 50);

CREATE TABLE audience_days (
    site   text COLLATE "C" NOT NULL,
    day    integer NOT NULL, -- of the site's own calendar, from 1970-01-01
    sketch bytea NOT NULL,
    PRIMARY KEY (site, day)
);

CREATE TABLE views (
    site  text COLLATE "C" NOT NULL,
    page  uuid NOT NULL, -- first half of SHA-256 over site, NUL and key
    key   text NOT NULL,
    views bigint NOT NULL,
    PRIMARY KEY (site, page)
) WITH (fillfactor = 70);

-- +goose Down
DROP TABLE views, audience_days, audience;
