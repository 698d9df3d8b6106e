-- +goose Up

-- What moderators have open at the desk. Of a minute's life, so it is not worth a log.
CREATE UNLOGGED TABLE leases (
    site    text COLLATE "C" NOT NULL,
    holder  text COLLATE "C" NOT NULL,
    tab     text COLLATE "C" NOT NULL,
    comment text COLLATE "C" NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (site, holder, tab)
);

-- +goose Down
DROP TABLE leases;
