-- +goose Up

-- Pages that have moved leave their key behind.
CREATE TABLE aliases (
    site   text COLLATE "C" NOT NULL,
    id     uuid NOT NULL, -- first half of SHA-256 over site, NUL and key
    key    text NOT NULL,
    page   uuid NOT NULL, -- where it stands now: never an alias again
    target text NOT NULL, -- that page's key
    PRIMARY KEY (site, id)
);

CREATE INDEX aliases_page ON aliases (site, page);

-- +goose Down
DROP TABLE aliases;
