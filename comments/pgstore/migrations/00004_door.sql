-- +goose Up

-- What nodes share at the door and nobody misses after a crash.
CREATE UNLOGGED TABLE spent_work (
    id      uuid PRIMARY KEY, -- of a challenge
    solved  boolean NOT NULL, -- found good and given back
    expires timestamptz NOT NULL
);

CREATE INDEX spent_work_expires ON spent_work (expires);

-- How much came in a minute; the page is nought for the site as a whole.
CREATE UNLOGGED TABLE arrivals (
    site   text COLLATE "C" NOT NULL,
    page   uuid NOT NULL,
    minute bigint NOT NULL, -- Unix minutes
    came   bigint NOT NULL,
    wrong  bigint NOT NULL, -- codes
    PRIMARY KEY (site, page, minute)
) WITH (fillfactor = 50);

CREATE INDEX arrivals_minute ON arrivals (minute);

-- +goose Down
DROP TABLE arrivals, spent_work;
