package storage

import (
	"context"
	"errors"

	"duyet/comments"
)

// Nouns are what a folder and a database that nobody has open would move.
func Nouns(ctx context.Context, dir, dsn string) (file, server []comments.Noun, err error) {
	o := MoveOptions{From: dir, To: dsn}
	from, err := openSource(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	to, err := openTarget(ctx, o, from)
	if err != nil {
		return nil, nil, errors.Join(err, from.close())
	}
	return from.Nouns(), to.Nouns(), errors.Join(to.close(), from.close())
}
