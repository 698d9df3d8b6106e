-- +goose Up

-- Threads are read as trees: tops of which anything stands, and the standing replies below
-- each. What a top is liked by counts only while it stands itself.
ALTER TABLE comments ADD COLUMN answers bigint NOT NULL DEFAULT 0; -- of a top: standing comments below it

UPDATE comments SET answers = n.answers FROM (
    SELECT site, root, count(*) AS answers FROM comments
    WHERE root IS NOT NULL AND (status = 'approved' OR status = 'pending' AND public IS NOT NULL) GROUP BY site, root
) AS n WHERE comments.site = n.site AND comments.id = n.root;

CREATE INDEX comments_tops ON comments (site, page, id)
    WHERE root IS NULL AND ((status = 'approved' OR status = 'pending' AND public IS NOT NULL) OR answers > 0);
CREATE INDEX comments_replies ON comments (site, root, id)
    WHERE status = 'approved' OR status = 'pending' AND public IS NOT NULL;
CREATE INDEX comments_liked ON comments (site, page, (-likes), id)
    WHERE status = 'approved' OR status = 'pending' AND public IS NOT NULL;
CREATE INDEX comments_liked_tops ON comments (site, page,
        (CASE WHEN status = 'approved' OR status = 'pending' AND public IS NOT NULL THEN -likes ELSE 0 END), id)
    WHERE root IS NULL AND ((status = 'approved' OR status = 'pending' AND public IS NOT NULL) OR answers > 0);

-- Who likes what. comments.likes counts them, in the same transaction.
CREATE TABLE likes (
    site    text COLLATE "C" NOT NULL,
    comment uuid NOT NULL,
    author  uuid NOT NULL,
    PRIMARY KEY (site, comment, author),
    FOREIGN KEY (site, comment) REFERENCES comments (site, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE likes;
DROP INDEX comments_tops, comments_replies, comments_liked, comments_liked_tops;
ALTER TABLE comments DROP COLUMN answers;
