package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"duyet/comments"
)

// replica is a standby that answers what all readers are given alike (comments.Shared).
// It lags behind by nature, so each read first asks, on the connection it is about to use,
// how far the standby has come with the site's journal: up to where this node has told its
// observers, or further, and what is read is at least as new as every copy that was thrown
// away for it. Behind that, or when there is no answer, the primary reads.
type replica struct {
	pool    *pgxpool.Pool
	resting atomic.Int64 // until when it is not asked, Unix nanoseconds
	away    atomic.Bool  // as last told to the log

	reads, lags, failures atomic.Int64
}

const (
	replicaMost = 2 * time.Second // one read; then the primary has it
	restFor     = time.Second     // before a standby that failed is asked again
)

func newReplica(ctx context.Context, dsn string) (*replica, error) {
	if dsn == "" {
		return nil, nil
	}
	config, err := poolConfig(dsn)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the standby: %w", err)
	}
	return &replica{pool: pool}, nil
}

func (r *replica) close() {
	if r != nil {
		r.pool.Close()
	}
}

// readReplica runs a read on the standby. done is false when the primary has to.
func (db *DB) readReplica(ctx context.Context, site string, run func(q Queryer) error) (done bool, err error) {
	r := db.replica
	if time.Now().UnixNano() < r.resting.Load() {
		return false, nil
	}
	at := db.tell.cursor(site)
	if at.epoch == 0 {
		return false, nil
	}
	within, cancel := context.WithTimeout(ctx, replicaMost)
	defer cancel()
	err = r.read(within, site, at, run)
	switch {
	case errors.Is(err, errLags):
		r.lags.Add(1)
		return false, nil
	case err != nil && ctx.Err() != nil:
		return true, ctx.Err()
	case err != nil && (fateOf(err) != final || within.Err() != nil || errors.Is(err, comments.ErrDamaged)):
		r.failures.Add(1)
		r.resting.Store(time.Now().Add(restFor).UnixNano())
		if !r.away.Swap(true) {
			db.log.Warn("the standby does not answer; the primary reads for it", "error", oneLine{err})
		}
		return false, nil
	}
	r.reads.Add(1)
	if r.away.Swap(false) {
		db.log.Info("the standby answers again")
	}
	return true, outward(err)
}

// errLags is a standby that has not come as far as this node.
var errLags = errors.New("the standby lags")

func (r *replica) read(ctx context.Context, site string, at cursor, run func(q Queryer) error) error {
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return offline(err)
	}
	defer conn.Release()
	// The read has a context of its own, which knows nothing of ours.
	socket, spoilt := conn.Conn().PgConn().Conn(), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(spoilt)
		_ = socket.SetDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-spoilt
			closeQuietly(conn.Conn())
		}
	}()
	var epoch int64
	var seq uint64
	err = conn.QueryRow(ctx, `SELECT epoch, seq FROM heads WHERE site = $1`, site).Scan(&epoch, &seq)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && (epoch != at.epoch || seq < at.seq) {
		return errLags
	}
	if err == nil {
		err = run(conn.Conn())
	}
	return broken(conn.Conn(), err)
}

// ReplicaStats count what became of the reads that a standby may answer.
type ReplicaStats struct {
	Reads    int64 // answered by it
	Lags     int64 // by the primary, since it had not come far enough
	Failures int64 // by the primary, since it gave no answer
}

// Replica is what became of reads so far; zero without a standby.
func (db *DB) Replica() ReplicaStats {
	r := db.replica
	if r == nil {
		return ReplicaStats{}
	}
	return ReplicaStats{r.reads.Load(), r.lags.Load(), r.failures.Load()}
}
