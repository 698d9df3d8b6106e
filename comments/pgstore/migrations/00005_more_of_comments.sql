-- +goose Up

-- What is kept of a comment beside its status and words. Nodes of the release before know
-- none of it and leave it alone.
ALTER TABLE comments
    ADD COLUMN root     uuid, -- topmost comment it answers by way of others
    ADD COLUMN author   uuid, -- hash of the author's key
    ADD COLUMN risk     integer NOT NULL DEFAULT 0, -- per mille
    ADD COLUMN likes    bigint  NOT NULL DEFAULT 0,
    ADD COLUMN reports  bigint  NOT NULL DEFAULT 0, -- open ones
    ADD COLUMN marks    bigint  NOT NULL DEFAULT 0, -- bits, see comments.Marks
    ADD COLUMN appealed boolean NOT NULL DEFAULT false, -- the one of marks that is a queue
    ADD COLUMN public   jsonb; -- words that stand while later ones wait

ALTER TABLE heads
    ADD COLUMN reported bigint NOT NULL DEFAULT 0,
    ADD COLUMN appeals  bigint NOT NULL DEFAULT 0,
    ADD COLUMN edited   bigint NOT NULL DEFAULT 0; -- pending, while earlier words stand

ALTER TABLE pages
    ADD COLUMN edited bigint NOT NULL DEFAULT 0;

WITH RECURSIVE up AS (
    SELECT site, id, parent AS root FROM comments WHERE parent IS NOT NULL
    UNION ALL
    SELECT up.site, up.id, c.parent FROM up
        JOIN comments c ON c.site = up.site AND c.id = up.root WHERE c.parent IS NOT NULL
)
UPDATE comments SET root = up.root FROM up
    WHERE comments.site = up.site AND comments.id = up.id
    AND EXISTS (SELECT FROM comments top WHERE top.site = up.site AND top.id = up.root AND top.parent IS NULL);

CREATE INDEX comments_standing ON comments (site, page, id) WHERE status = 'approved' OR status = 'pending' AND public IS NOT NULL;
CREATE INDEX comments_reported ON comments (site, id) WHERE reports > 0;
CREATE INDEX comments_appeals  ON comments (site, id) WHERE appealed;
CREATE INDEX comments_edited   ON comments (site, id) WHERE status = 'pending' AND public IS NOT NULL;
CREATE INDEX comments_risk     ON comments (site, (-risk), id) WHERE status = 'pending';
DROP INDEX comments_thread;

-- Words that stood before: erasable, unlike events.
CREATE TABLE revisions (
    site      text COLLATE "C" NOT NULL,
    comment   uuid NOT NULL,
    version   bigint NOT NULL, -- the last that had them
    name      text NOT NULL,
    title     text NOT NULL,
    content   text NOT NULL,
    edited_at timestamptz,
    public    jsonb,
    at        timestamptz NOT NULL,
    by        text NOT NULL,
    PRIMARY KEY (site, comment, version),
    FOREIGN KEY (site, comment) REFERENCES comments (site, id)
);

-- +goose Down
DROP TABLE revisions;
CREATE INDEX comments_thread ON comments (site, page, id) WHERE status = 'approved';
DROP INDEX comments_standing, comments_reported, comments_appeals, comments_edited, comments_risk;
ALTER TABLE pages DROP COLUMN edited;
ALTER TABLE heads DROP COLUMN reported, DROP COLUMN appeals, DROP COLUMN edited;
ALTER TABLE comments DROP COLUMN root, DROP COLUMN author, DROP COLUMN risk, DROP COLUMN likes,
    DROP COLUMN reports, DROP COLUMN marks, DROP COLUMN appealed, DROP COLUMN public;
