-- +goose Up

-- What a site configures or what is learned for it. A document goes with its site, and one
-- that is being put while the site is removed waits and is refused.
CREATE TABLE documents (
    site    text COLLATE "C" NOT NULL REFERENCES heads (site) ON DELETE CASCADE,
    kind    text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    at      timestamptz NOT NULL,
    by      text NOT NULL,
    call    uuid NOT NULL, -- that put it: should its answer be lost, asking again gives the same
    data    bytea NOT NULL,
    PRIMARY KEY (site, kind, id)
);

-- +goose Down
DROP TABLE documents;
