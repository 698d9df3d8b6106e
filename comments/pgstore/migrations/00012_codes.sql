-- +goose Up

-- A part of a keyed hash of a comment's receipt code, by which its author finds it. Only
-- the services know codes; they fill in those that are missing.
ALTER TABLE comments ADD COLUMN code integer;
CREATE INDEX comments_code ON comments (site, code, id) WHERE code IS NOT NULL;
CREATE INDEX comments_uncoded ON comments (site, id) WHERE code IS NULL;

-- +goose Down
DROP INDEX comments_code, comments_uncoded;
ALTER TABLE comments DROP COLUMN code;
