-- +goose Up

-- The index for searching: lists of comments under hashes of words, in parts that are
-- written once and merged. It is made from comments and journal, beside serving.
CREATE TABLE indexes (
    site    text COLLATE "C" PRIMARY KEY REFERENCES heads (site),
    version bigint NOT NULL,
    state   bytea NOT NULL
);

CREATE TABLE terms (
    site text COLLATE "C" NOT NULL,
    part bigint NOT NULL,
    term bigint NOT NULL, -- hash, its first bit turned so that it sorts as unsigned
    list bytea NOT NULL,  -- moments, newest first
    PRIMARY KEY (site, part, term),
    FOREIGN KEY (site) REFERENCES indexes (site)
);

ALTER TABLE terms ALTER COLUMN list SET STORAGE EXTERNAL;

CREATE INDEX addresses_network ON addresses (site, addr);

-- +goose Down
DROP INDEX addresses_network;
DROP TABLE terms, indexes;
