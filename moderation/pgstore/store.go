// Package pgstore keeps the moderators' wing in the database of comments/pgstore: same
// journal, same group commit, tables of its own in migrations/. It implements
// moderation.Store and decides nothing but atomicity.
package pgstore

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	core "duyet/comments"
	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the moderators' wing of a database. It implements moderation.Store and is safe
// for concurrent use.
type Store struct{ db *comments.DB }

var _ moderation.Store = (*Store)(nil)

// New is the moderators' wing of a database. It brings its tables up to date.
func New(ctx context.Context, db *comments.DB) (*Store, error) {
	if err := db.Migrate(ctx, "moderation", migrations); err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

// do runs an operation about people, which is the installation's.
func (s *Store) do(ctx context.Context, run func(ctx context.Context, tx *comments.Tx) error) error {
	return s.db.Do(ctx, []string{core.Installation}, run)
}

// event is one about a moderator, under the installation.
func event(tx *comments.Tx, actor string, kind core.Kind, id string) error {
	_, err := tx.Append(core.Event{Site: core.Installation, Actor: actor, Kind: kind, Subject: id})
	return err
}

// querier is a transaction, or a connection without one.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func absent(what string) error { return fmt.Errorf("%s: %w", what, core.ErrNotFound) }
