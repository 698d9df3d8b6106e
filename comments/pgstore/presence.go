package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// presenceLock is the advisory lock that every open store shares, and that a mover has for
// itself: so neither begins beside the other.
const presenceLock int64 = 0x6475796574_03

var (
	// ErrInUse is a database that nodes or commands have open.
	ErrInUse = errors.New("other nodes or commands have the database open; stop them first")
	// ErrBeingMoved is a database that a mover has open.
	ErrBeingMoved = errors.New("'duyet move' is at work on the database; wait until it ends")
)

// enter makes a connection that holds the lock for as long as it lives. Whoever has just
// left may hold it a moment longer, so it asks again for a while.
func (db *DB) enter(ctx context.Context) (*pgx.Conn, error) {
	for start, attempt := time.Now(), 0; ; attempt++ {
		var conn *pgx.Conn
		err := db.retry(ctx, func() (err error) {
			conn, err = db.tryEnter(ctx)
			return err
		})
		if err == nil {
			return conn, nil
		}
		refused := errors.Is(err, ErrInUse) || errors.Is(err, ErrBeingMoved)
		if !refused || time.Since(start) > db.patience || sleep(ctx, pause(attempt)) != nil {
			return nil, err
		}
	}
}

func (db *DB) tryEnter(ctx context.Context) (*pgx.Conn, error) {
	sql, refused := `SELECT pg_try_advisory_lock_shared($1)`, ErrBeingMoved
	if db.sole {
		sql, refused = `SELECT pg_try_advisory_lock($1)`, ErrInUse
	}
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig)
	if err != nil {
		return nil, offline(err)
	}
	var mine bool
	if err = conn.QueryRow(ctx, sql, presenceLock).Scan(&mine); err == nil && !mine {
		err = refused
	}
	if err != nil {
		err = broken(conn, err)
		closeQuietly(conn)
		return nil, err
	}
	return conn, nil
}
