package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	campaignEvery = time.Second     // how often a node asks whether it may lead
	beatEvery     = time.Second     // how often a leader makes sure that it still does
	beatMost      = 2 * time.Second // how long it waits for that; then it has lost the lead
)

// Leader runs fn on one node at a time, for work that is to be done once: sweeps, backups,
// retention. It returns when ctx is done; until then it waits for the lead, runs fn with a
// context that ends when the lead is lost, and begins again when fn returns.
//
// The lead is an advisory lock held by a session. A node that stops or dies lets go of it
// at once, and one that is cut off stops leading after three seconds, before the server,
// which waits for eleven (see poolConfig), gives the lead to another. So fn must end soon
// after its context.
func (db *DB) Leader(ctx context.Context, fn func(ctx context.Context) error) {
	for ctx.Err() == nil && db.background.Err() == nil {
		if err := db.lead(ctx, fn); err != nil && ctx.Err() == nil {
			db.log.Warn("leading work", "error", err)
		}
		if sleep(ctx, campaignEvery) != nil {
			return
		}
	}
}

// lead waits for the lead and runs fn once.
func (db *DB) lead(ctx context.Context, fn func(ctx context.Context) error) error {
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig)
	if err != nil {
		return offline(err)
	}
	defer closeQuietly(conn)
	for mine := false; ; {
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, leadLock).Scan(&mine); err != nil {
			return err
		}
		if mine {
			break
		}
		if err := sleep(ctx, campaignEvery); err != nil || db.background.Err() != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-db.background.Done():
			cancel()
			return <-done
		case <-tick.C:
			if err := db.beat(ctx, conn); err != nil {
				cancel()
				<-done
				return err
			}
		}
	}
}

// beat makes sure that the session which holds the lead is alive.
func (db *DB) beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, beatMost)
	defer cancel()
	return conn.Ping(ctx)
}
