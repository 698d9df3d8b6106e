package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"duyet/comments/work"
)

// SpentWork remembers, for all nodes, which challenges of proof of work were brought. It
// implements work.Ledger. Its table is unlogged like that of dead tickets: after the
// server's own crash a proof can be brought once more in what is left of its half hour.
type SpentWork struct{ db *DB }

// SpentWork is the ledger that the nodes of this database share.
func (db *DB) SpentWork() *SpentWork { return &SpentWork{db} }

// Take implements work.Ledger. An error is comments.ErrUnavailable or the context's.
func (s *SpentWork) Take(ctx context.Context, id [16]byte, expires time.Time) (work.Standing, error) {
	var fresh bool
	err := s.db.Read(ctx, func(q Queryer) error {
		// A row that was there and is updated has an xmax; one just inserted has none.
		return q.QueryRow(ctx, `INSERT INTO spent_work AS w (id, solved, expires) VALUES ($1, false, $2)
			ON CONFLICT (id) DO UPDATE SET solved = false WHERE w.solved RETURNING w.xmax = 0`,
			uuid.UUID(id), ticketStamp(expires)).Scan(&fresh)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return work.Spent, nil
	case err != nil:
		return work.Spent, err
	case fresh:
		return work.Fresh, nil
	}
	return work.Solved, nil
}

// Return implements work.Ledger.
func (s *SpentWork) Return(ctx context.Context, id [16]byte) error {
	_, err := s.db.Exec(ctx, `UPDATE spent_work SET solved = true WHERE id = $1`, uuid.UUID(id))
	return err
}
