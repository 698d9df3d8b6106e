-- +goose Up

-- On these nothing is published before a moderator has approved it.
ALTER TABLE pages ADD COLUMN held boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE pages DROP COLUMN held;
