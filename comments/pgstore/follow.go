package pgstore

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// How nodes hear of each other. The journal is the truth: every pollEvery a node compares
// the ends of all journals with how far it has told, and reads on where they differ. So
// that it need not wait that long, a node that has committed nudges the others, at most
// once in nudgeEvery. It does so outside its transactions: a NOTIFY inside one makes
// commits wait for each other in the whole server.
const (
	pollEvery  = 500 * time.Millisecond
	nudgeEvery = 100 * time.Millisecond
	channel    = "duyet_journal"
)

// nudge asks for the others to be told; it never waits.
func (db *DB) nudge() {
	select {
	case db.nudges <- struct{}{}:
	default:
	}
}

// sendNudges runs until the store is closed.
func (db *DB) sendNudges() {
	for {
		select {
		case <-db.nudges:
		case <-db.background.Done():
			return
		}
		ctx, cancel := context.WithTimeout(db.background, pollEvery)
		// Should it fail, the others' polls find what there is.
		_, _ = db.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, db.node)
		db.sendLikes(ctx)
		cancel()
		if sleep(db.background, nudgeEvery) != nil {
			return
		}
	}
}

// follow runs until the store is closed. It begins to listen on conn, which it closes.
func (db *DB) follow(conn *pgx.Conn) {
	nudged := make(chan struct{}, 1)
	db.running.Go(func() { db.listen(conn, nudged) })
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-nudged:
		case <-db.background.Done():
			return
		}
		if err := db.poll(db.background); err != nil && db.background.Err() == nil {
			db.log.Warn("can't follow the journals", "behind", db.Behind().Round(time.Millisecond), "error", err)
		}
	}
}

// poll tells of everything that other nodes have committed.
func (db *DB) poll(ctx context.Context) error {
	started := time.Now()
	var ends map[string]cursor
	err := db.Read(ctx, func(q Queryer) (err error) {
		ends, err = readEnds(ctx, q)
		return err
	})
	if err != nil {
		return err
	}
	for _, site := range db.tell.differ(ends) {
		if err := db.catchUp(ctx, site, false); err != nil {
			return err
		}
	}
	db.heard.Store(started.UnixNano())
	return nil
}

// differ lists the sites whose end is not where this node has come to, those that are
// gone included.
func (t *tellings) differ(ends map[string]cursor) (sites []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for site, end := range ends {
		at := t.cursors[site]
		if at.epoch != end.epoch || at.seq != end.seq || !bytes.Equal(at.chain, end.chain) {
			sites = append(sites, site)
		}
	}
	for site := range t.cursors {
		if _, stands := ends[site]; !stands {
			sites = append(sites, site)
		}
	}
	return sites
}

// listen passes others' nudges on until the store is closed. It has a connection of its
// own, outside the pool, which also says that this node has the database open.
func (db *DB) listen(conn *pgx.Conn, nudged chan<- struct{}) {
	for attempt := 0; ; attempt++ {
		if conn != nil {
			db.listenOnce(conn, nudged)
			attempt = 0
		}
		if sleep(db.background, pause(attempt)) != nil {
			return
		}
		var err error
		if conn, err = db.enter(db.background); errors.Is(err, ErrBeingMoved) {
			db.log.Error("this node was cut off, and meanwhile 'duyet move' has begun: stop it", "error", err)
		}
	}
}

// listenOnce listens until the connection is lost.
func (db *DB) listenOnce(conn *pgx.Conn, nudged chan<- struct{}) {
	defer closeQuietly(conn)
	if _, err := conn.Exec(db.background, `LISTEN `+channel+`; LISTEN `+likesChannel); err != nil {
		return
	}
	db.tellLikes("", "") // who knows what was told until now
	for {
		n, err := conn.WaitForNotification(db.background)
		if err != nil {
			return
		}
		if n.Channel == likesChannel {
			db.hearLikes(n.Payload)
			continue
		}
		if n.Payload == db.node {
			continue
		}
		select {
		case nudged <- struct{}{}:
		default:
		}
	}
}

// closeQuietly closes a connection that may be dead already.
func closeQuietly(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
