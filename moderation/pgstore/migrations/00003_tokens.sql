-- +goose Up

-- A token has a name, an end, and may be narrowed to some of its owner's permissions.
ALTER TABLE tokens
    ADD COLUMN name    text NOT NULL DEFAULT '',
    ADD COLUMN scopes  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN expires timestamptz;

-- +goose Down
ALTER TABLE tokens DROP COLUMN name, DROP COLUMN scopes, DROP COLUMN expires;
