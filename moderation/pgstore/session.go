package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	comments "duyet/comments/pgstore"
	"duyet/moderation"
)

// Session implements moderation.SessionStore.
func (s *Store) Session(ctx context.Context, h moderation.Hash, now time.Time) (data []byte, err error) {
	err = s.db.Read(ctx, func(q comments.Queryer) error {
		err := q.QueryRow(ctx, `SELECT data FROM sessions WHERE hash = $1 AND expires >= $2`, h[:], now).Scan(&data)
		if errors.Is(err, pgx.ErrNoRows) {
			return absent("session")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// PutSession implements moderation.SessionStore.
func (s *Store) PutSession(ctx context.Context, h moderation.Hash, data []byte, expires time.Time) error {
	if data == nil {
		data = []byte{}
	}
	_, err := s.db.Exec(ctx, `INSERT INTO sessions (hash, data, expires) VALUES ($1, $2, $3)
		ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires = excluded.expires`, h[:], data, expiry(expires))
	return err
}

// RemoveSession implements moderation.SessionStore.
func (s *Store) RemoveSession(ctx context.Context, h moderation.Hash) error {
	_, err := s.db.Exec(ctx, `DELETE FROM sessions WHERE hash = $1`, h[:])
	return err
}

// sweepMost is how many records of a kind one sweep removes.
const sweepMost = 2000

// SweepSignIn implements moderation.SessionStore.
func (s *Store) SweepSignIn(ctx context.Context, now time.Time) (removed int, err error) {
	for _, table := range [...]string{"sessions", "links"} {
		n, err := s.db.Exec(ctx, `DELETE FROM `+table+` WHERE hash IN (
			SELECT hash FROM `+table+` WHERE expires < $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)`, now, sweepMost)
		removed += int(n)
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}
