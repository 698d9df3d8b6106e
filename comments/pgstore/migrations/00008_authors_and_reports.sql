-- +goose Up

-- Who wrote what, by the author's key, and by network as long as its address is kept.
CREATE INDEX comments_author ON comments (site, author, id) WHERE author IS NOT NULL;
ALTER TABLE addresses ADD COLUMN net inet
    GENERATED ALWAYS AS (CASE family(addr) WHEN 6 THEN network(set_masklen(addr, 64))::inet ELSE addr END) STORED;
CREATE INDEX addresses_net ON addresses (site, net, comment);

-- Readers' reports. Those that are open are counted in their comment.
CREATE TABLE reports (
    site    text COLLATE "C" NOT NULL,
    comment uuid NOT NULL,
    reader  uuid NOT NULL, -- an author's key, or a hash of the network under the site
    reason  text NOT NULL,
    text    text NOT NULL,
    at      timestamptz,
    closed  boolean NOT NULL, -- a moderator has decided since
    PRIMARY KEY (site, comment, reader),
    FOREIGN KEY (site, comment) REFERENCES comments (site, id)
);

-- +goose Down
DROP TABLE reports;
DROP INDEX addresses_net, comments_author;
ALTER TABLE addresses DROP COLUMN net;
