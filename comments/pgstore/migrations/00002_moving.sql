-- +goose Up

-- The note of a move that fills this database; see comments.Movable.
ALTER TABLE about ADD COLUMN moving text;

-- +goose Down
ALTER TABLE about DROP COLUMN moving;
