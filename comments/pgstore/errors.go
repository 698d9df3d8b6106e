package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"duyet/comments"
)

// fate is what can be done about an error of the server or of the way to it.
type fate int

const (
	final  fate = iota // it will be the same next time
	passes             // worth trying again; the server is there
	away               // the server is not there, or can't do its work
)

// Codes that are told apart, see appendix A of PostgreSQL's manual.
const (
	readOnly        = "25006" // a primary that has become a standby
	serialization   = "40001"
	deadlock        = "40P01"
	lockNotFree     = "55P03"
	queryCanceled   = "57014" // by a time limit, the server's or ours
	dataCorrupted   = "XX001"
	indexCorrupted  = "XX002"
	featureCached   = "0A000" // "cached plan must not change result type"
	idleTransaction = "25P03"
)

func fateOf(err error) fate {
	var pg *pgconn.PgError
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, ErrClosed):
		return final
	case errors.As(err, &connect):
		return away
	case errors.As(err, &pg):
		return fateOfCode(pg)
	case errors.Is(err, comments.ErrUnavailable), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err), errors.Is(err, errBroken):
		return away
	}
	return final
}

func fateOfCode(pg *pgconn.PgError) fate {
	switch pg.Code {
	case serialization, deadlock, lockNotFree:
		return passes
	case readOnly, idleTransaction, queryCanceled:
		return away
	case featureCached:
		if strings.Contains(pg.Message, "cached plan") {
			return passes
		}
		return final
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "08", "53", "57", "58": // connection; resources; operator; system
		return away
	}
	return final
}

// errBroken marks an error after which the connection was found closed.
var errBroken = errors.New("connection lost")

// broken adds errBroken to an error that has cost the connection.
func broken(conn *pgx.Conn, err error) error {
	if err != nil && conn.IsClosed() && !errors.Is(err, errBroken) {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return err
}

// outward is an error as callers see it: one of comments' kinds where there is one. It
// never shows what was being stored: the server's details are left out.
func outward(err error) error {
	var pg *pgconn.PgError
	if err == nil || errors.Is(err, comments.ErrUnavailable) {
		return err
	}
	if errors.As(err, &pg) && (pg.Code == dataCorrupted || pg.Code == indexCorrupted) {
		return fmt.Errorf("%s (SQLSTATE %s): %w", pg.Message, pg.Code, comments.ErrDamaged)
	}
	if fateOf(err) != final {
		return offline(err)
	}
	return err
}

// offline is comments.ErrUnavailable for a server that doesn't answer.
func offline(err error) error { return fmt.Errorf("%w: %w", comments.ErrUnavailable, oneLine{err}) }

// oneLine is an error told in one line, whatever it lists.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

func (e oneLine) Unwrap() error { return e.error }

// Pauses between attempts grow from the first to the last, each cut short at random, so
// that nodes don't come back all at once.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

func pause(attempt int) time.Duration {
	d := min(firstPause<<min(attempt, 16), lastPause)
	return d/2 + rand.N(d/2+1)
}

// sleep waits, or ends with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retry runs what may be run again until it succeeds, fails for good, or patience ends. A
// node that is cut off already has none: whoever waits is told at once.
func (db *DB) retry(ctx context.Context, run func() error) error {
	start, patience := time.Now(), db.patience
	if db.heard.Load() != 0 && db.Behind() > db.patience {
		patience = 0
	}
	for attempt := 0; ; attempt++ {
		err := run()
		if err == nil || fateOf(err) == final || ctx.Err() != nil || time.Since(start) > patience {
			if ctx.Err() != nil && err != nil {
				return ctx.Err()
			}
			return outward(err)
		}
		if err := sleep(ctx, pause(attempt)); err != nil {
			return err
		}
	}
}

// distrust throws the pool's connections away after an error that the others are likely to
// meet as well: the server has gone, or serves reads only since another took its place. It
// does so at most once in distrustEvery, and those in use are closed when they come back.
func (db *DB) distrust(err error) {
	var pg *pgconn.PgError
	if err == nil || !errors.Is(err, errBroken) && !(errors.As(err, &pg) && pg.Code == readOnly) {
		return
	}
	now, last := time.Now().UnixNano(), db.distrusted.Load()
	if now-last > int64(distrustEvery) && db.distrusted.CompareAndSwap(last, now) {
		db.pool.Reset()
	}
}

const distrustEvery = time.Second

// Queryer runs statements that each stand for themselves.
type Queryer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Read runs statements on one connection, again when that is lost or the server asks for
// it: the function sets what it computes anew each time, and writes nothing that would
// count twice. Errors beside its own: comments.ErrUnavailable, ErrDamaged.
func (db *DB) Read(ctx context.Context, run func(q Queryer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if site := comments.SharedBy(ctx); site != "" && db.replica != nil {
		if done, err := db.readReplica(ctx, site, run); done {
			return err
		}
	}
	return db.retry(ctx, func() error {
		conn, err := db.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		err = broken(conn.Conn(), run(conn.Conn()))
		db.distrust(err)
		return err
	})
}

// Exec runs one statement that may be run twice without harm, and returns how many rows
// it touched.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	if err := db.begin(); err != nil {
		return 0, err
	}
	defer db.work.Done()
	err = db.Read(comments.Shared(ctx, ""), func(q Queryer) error { // a standby takes no writes
		tag, err := q.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// acquire takes a connection from the pool.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := db.pool.Acquire(ctx)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, puddle.ErrClosedPool):
		return nil, ErrClosed
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, offline(err)
}

// missing makes comments.ErrNotFound of a query without a row.
func missing(err error, what string, args ...any) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf(what+": %w", append(args, comments.ErrNotFound)...)
	}
	return err
}
