package pgstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

// Shelf is a noun of comments.Movable as it stands in tables. Rows are read by key, in
// the key's order: $1, $2 … are the place after which to read, as text, and the last
// parameter is the limit.
type Shelf[T any] struct {
	Name   string
	Tables []string
	Most   int // see comments.Noun
	SQL    string
	Start  []string // a place before all others
	Scan   func(pgx.Rows) (T, error)
	Place  func(T) []string
	Put    func(b *pgx.Batch, list []T) error
}

// NounOf makes a noun of a shelf.
func NounOf[T any](db *DB, s Shelf[T]) comments.Noun {
	return comments.Noun{
		Name: s.Name, Holds: s.Tables, Most: s.Most,
		Read: func(ctx context.Context, after []byte, limit int) (crates []comments.Crate, err error) {
			place := s.Start
			if after != nil {
				place = nil
				if err := json.Unmarshal(after, &place); err != nil || len(place) != len(s.Start) {
					return nil, fmt.Errorf("%s: a place that can't be read: %w", s.Name, comments.ErrMalformed)
				}
			}
			args := make([]any, 0, len(place)+1)
			for _, p := range place {
				args = append(args, p)
			}
			args = append(args, limit)
			err = db.Read(ctx, func(q Queryer) error {
				rows, err := q.Query(ctx, s.SQL, args...)
				if err != nil {
					return err
				}
				list, err := collect(rows, s.Scan)
				if err != nil {
					return err
				}
				crates, err = comments.Collect(list, func(r T) []byte {
					place, _ := json.Marshal(s.Place(r)) // texts can't fail
					return place
				})
				return err
			})
			return crates, err
		},
		Write: func(ctx context.Context, crates []comments.Crate, note []byte) error {
			list, err := comments.Unpack[T](crates)
			if err != nil {
				return err
			}
			b := &pgx.Batch{}
			b.Queue(`BEGIN`)
			if err := s.Put(b, list); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			b.Queue(`UPDATE about SET moving = $1`, string(note))
			b.Queue(`COMMIT`)
			if err := db.fill(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			return nil
		},
	}
}

func collect[T any](rows pgx.Rows, scan func(pgx.Rows) (T, error)) (list []T, err error) {
	defer rows.Close()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// fill runs a whole transaction once. What came of one whose answer was lost, the note in
// it says.
func (db *DB) fill(ctx context.Context, b *pgx.Batch) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return outward(conn.SendBatch(ctx, b).Close())
}

// Note implements comments.Movable.
func (db *DB) Note(ctx context.Context) (note []byte, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		var text *string
		if err := q.QueryRow(ctx, `SELECT moving FROM about`).Scan(&text); err != nil {
			return err
		}
		if note = nil; text != nil {
			note = []byte(*text)
		}
		return nil
	})
	return note, err
}

// PutNote implements comments.Movable.
func (db *DB) PutNote(ctx context.Context, note []byte) error {
	text := pgtype.Text{String: string(note), Valid: note != nil}
	_, err := db.Exec(ctx, `UPDATE about SET moving = $1`, text)
	return err
}

// Begin makes an empty database another installation's, or empties one that a move has
// filled in part.
func (db *DB) Begin(ctx context.Context, installation string, tables []string, note []byte) error {
	b := &pgx.Batch{}
	b.Queue(`BEGIN`)
	b.Queue(`TRUNCATE ` + join(tables) + ` CASCADE`) // with what is made from them, such as the index for searching
	b.Queue(`INSERT INTO heads (site, epoch, seq, pending, approved, rejected, spam, trashed, suspect)
		VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0)`, comments.Installation, newEpoch())
	b.Queue(`UPDATE about SET installation = $1, moving = $2`, installation, string(note))
	b.Queue(`COMMIT`)
	return db.fill(ctx, b)
}

func join(names []string) (list string) {
	for i, name := range names {
		if i > 0 {
			list += ", "
		}
		list += pgx.Identifier{name}.Sanitize()
	}
	return list
}

// NotMoved says of the tables that no noun answers for why they stay.
func NotMoved() map[string]string {
	return map[string]string{
		"about":                    "says what this database is",
		"dead_tickets":             "forgotten within the hour, and by a restart too",
		"spent_work":               "forgotten within the hour, and by a restart too",
		"arrivals":                 "forgotten within two hours, and by a restart too",
		"indexes":                  "made from the comments, beside serving",
		"terms":                    "made from the comments, beside serving",
		"leases":                   "forgotten within a minute, and by a restart too",
		"limits":                   "forgotten within the hour, and by a restart too",
		"duyet_version_comments":   "what migrations this database has had",
		"duyet_version_moderation": "what migrations this database has had",
	}
}
