package pgstore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"duyet/comments"
)

// A write takes two round trips. The first opens a transaction, locks the heads of the
// sites it is about, and reads, all in one message; what it reads is therefore true until
// the commit. Then everything is decided in memory. The second writes and commits, in one
// message again. The head is the only lock taken, and heads are locked in order of their
// sites, so that writes never wait for each other in a circle.
//
// The head is locked before the reads, not after: that costs the site the time of a few
// reads by key, and saves every operation from deciding twice.

// Tx is a write's view of the database.
type Tx struct {
	db      *DB
	conn    *pgx.Conn
	mac     hash.Hash
	sites   []string // in order
	heads   map[string]*head
	missed  map[string][]told // others' commits that this node has not heard of
	commits []comments.Commit
	details []detailRow
	dirty   bool // has written something that is no event
}

type detailRow struct {
	site string
	seq  uint64
	comments.Detail
}

// job is what a write does. Each part may be run again, in order.
type job interface {
	read(b *pgx.Batch, tx *Tx)                // queues what it wants to know
	decide(ctx context.Context, tx *Tx) error // an error ends the write, changing nothing
	write(b *pgx.Batch, tx *Tx)               // queues what it decided
}

// doubt is a commit that was sent and not answered. The last event of one of its sites
// says whether it came to pass: whoever holds the head's lock sees the truth.
type doubt struct {
	tx    *Tx
	site  string
	seq   uint64
	chain []byte
}

// errBehind says that this node has more to hear of a site than fits beside a write.
type errBehind struct{ site string }

func (e errBehind) Error() string { return "behind on site " + e.site }

// attemptMost bounds one attempt at a write, the wait for the head included.
const attemptMost = 20 * time.Second

// transact runs a job until it is committed and observers have heard of it, or fails.
// Sites are those whose heads it needs, and an attempt takes at most that long.
func (db *DB) transact(sites []string, ops int, most time.Duration, j job) error {
	sites = slices.Compact(slices.Sorted(slices.Values(sites)))
	start := time.Now()
	var d *doubt
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		tx, err := db.attempt(ctx, sites, j, &d)
		cancel()
		db.distrust(err)
		if err == nil {
			db.committed(tx, ops, time.Since(start))
			return nil
		}
		var behind errBehind
		if errors.As(err, &behind) {
			if err = db.catchUp(db.background, behind.site, true); err == nil {
				continue
			}
		}
		patience := db.patience
		if d != nil {
			patience *= 3
		} else if fateOf(err) == final {
			return outward(err)
		}
		if time.Since(start) > patience {
			if d != nil {
				db.tell.release(d.tx)
				db.log.Error("a commit was not answered, and the server can't be asked", "site", d.site, "seq", d.seq, "error", err)
			}
			return offline(err)
		}
		if fateOf(err) == away {
			db.log.Warn("write again", "attempt", attempt+1, "error", err)
		}
		_ = sleep(context.Background(), pause(attempt))
	}
}

// committed tells of what an attempt has stored.
func (db *DB) committed(tx *Tx, ops int, took time.Duration) {
	stored := len(tx.commits) > 0 || tx.dirty
	if stored && db.onCommit != nil {
		db.onCommit(ops, took)
	}
	db.announce(tx)
	if len(tx.commits) > 0 {
		db.nudge()
	}
}

// attempt runs a job once. When the commit was sent and not answered it sets d; the next
// attempt then looks first whether that one came to pass, and returns it.
func (db *DB) attempt(ctx context.Context, sites []string, j job, d **doubt) (_ *Tx, err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release() // closes it when a transaction is left open or the connection is lost
	tx := &Tx{
		db: db, conn: conn.Conn(), mac: hmac.New(sha256.New, db.key), sites: sites,
		heads: map[string]*head{}, missed: map[string][]told{},
	}
	known, err := tx.open(ctx, j, *d)
	if err != nil {
		err = broken(tx.conn, err)
		tx.rollback()
		return nil, err
	}
	if *d != nil {
		before := (*d).tx
		if known {
			tx.rollback()
			*d = nil
			return before, nil
		}
		db.tell.release(before)
		*d = nil
	}
	if err := j.decide(ctx, tx); err != nil {
		err = broken(tx.conn, err)
		tx.rollback()
		return nil, err
	}
	if len(tx.commits) == 0 && !tx.dirty {
		tx.rollback()
		return tx, nil
	}
	db.tell.reserve(tx)
	if *d, err = tx.commit(ctx, j); err != nil {
		if *d == nil {
			db.tell.release(tx)
		}
		err = broken(tx.conn, err)
		tx.rollback()
		return nil, err
	}
	return tx, nil
}

// open begins, locks and reads. known reports whether the commit in doubt came to pass.
func (tx *Tx) open(ctx context.Context, j job, d *doubt) (known bool, err error) {
	b := &pgx.Batch{}
	b.Queue(`BEGIN`)
	for _, site := range tx.sites {
		b.Queue(lockHead, site).QueryRow(func(row pgx.Row) error {
			h, err := scanHead(row)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			tx.heads[site] = h
			return err
		})
	}
	if d != nil {
		b.Queue(`SELECT chain FROM events WHERE site = $1 AND seq = $2`, d.site, d.seq).QueryRow(func(row pgx.Row) error {
			var chain []byte
			err := row.Scan(&chain)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			known = bytes.Equal(chain, d.chain)
			return err
		})
	}
	from := map[string]cursor{}
	for _, site := range tx.sites {
		c := tx.db.tell.cursor(site)
		from[site] = c
		tx.readMissed(b, site, c)
	}
	j.read(b, tx)
	if err := tx.conn.SendBatch(ctx, b).Close(); err != nil {
		return false, err
	}
	if known {
		return true, nil
	}
	for _, site := range tx.sites {
		if !from[site].reaches(tx.heads[site], tx.missed[site], tx.db.key) {
			return false, errBehind{site}
		}
	}
	return false, nil
}

// commit writes and commits. A doubt is returned when it can't be known from here whether
// the commit came to pass.
func (tx *Tx) commit(ctx context.Context, j job) (*doubt, error) {
	b := &pgx.Batch{}
	for _, site := range tx.sites {
		if h := tx.heads[site]; h != nil && h.fresh {
			h.write(b, site)
		}
	}
	j.write(b, tx)
	for _, site := range tx.sites {
		tx.writeJournal(b, site)
		if h := tx.heads[site]; h != nil && h.dirty && !h.fresh {
			h.write(b, site)
		}
	}
	b.Queue(`COMMIT`)
	err := tx.conn.SendBatch(ctx, b).Close()
	if err == nil {
		return nil, nil
	}
	// The server's own error in a transaction means that it was not committed. The end of
	// the session, by whatever way, may have come before or after.
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Severity == "ERROR" || len(tx.commits) == 0 {
		return nil, err
	}
	last := tx.commits[len(tx.commits)-1].Event
	return &doubt{tx: tx, site: last.Site, seq: last.Seq, chain: last.Chain}, err
}

// rollback ends the transaction if it can; otherwise the pool throws the connection away,
// which ends it as well.
func (tx *Tx) rollback() {
	if tx.conn.IsClosed() || tx.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_, _ = tx.conn.Exec(ctx, `ROLLBACK`)
}

// Now is the store's clock: UTC, in milliseconds.
func (tx *Tx) Now() time.Time { return tx.db.Now() }

// Now is the store's clock: UTC, in milliseconds.
func (db *DB) Now() time.Time { return milli(db.now()) }

// Append adds an event about no comment to the journal of its site, at the next Seq and
// chained to the one before. At is the store's clock when zero. The site is one of those
// the write was begun for; comments.ErrUnknownSite when it does not exist.
func (tx *Tx) Append(e comments.Event) (comments.Event, error) {
	h := tx.heads[e.Site]
	if h == nil {
		return comments.Event{}, unknown(e.Site)
	}
	return tx.append(h, e, nil, nil), nil
}

// append adds an event, its detail and what observers are told of its comment.
func (tx *Tx) append(h *head, e comments.Event, detail *comments.Detail, about *comments.Comment) comments.Event {
	if e.At.IsZero() {
		e.At = tx.Now()
	}
	e.At = milli(e.At)
	e.Seq = h.Seq + 1
	e.Detail = nil
	if detail != nil {
		e.Detail = detail.Sum()
		tx.details = append(tx.details, detailRow{site: e.Site, seq: e.Seq, Detail: *detail})
	}
	e.Chain = e.Link(tx.mac, h.Chain)
	h.Seq, h.Chain, h.dirty = e.Seq, e.Chain, true
	commit := comments.Commit{Event: e}
	if about != nil {
		commit.Page, commit.Comment = about.Page, *about
	}
	tx.commits = append(tx.commits, commit)
	return e
}

// Exec runs a statement within the transaction.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	tx.dirty = true
	return tx.conn.Exec(ctx, sql, args...)
}

// Query reads within the transaction.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return tx.conn.Query(ctx, sql, args...)
}

// QueryRow reads one row within the transaction.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return tx.conn.QueryRow(ctx, sql, args...)
}

// Do runs one operation in a transaction of its own, with the heads of the sites locked,
// and returns once it is durable and observers have heard of it. It may be run more than
// once, so it sets what it computes anew each time, and it appends an event: by that a
// commit whose answer was lost is known. One that returns an error has changed nothing.
//
// A context that is done before it begins ends the call with its error; after that the
// call waits for the outcome. Errors beside the operation's own: comments.ErrUnavailable.
func (db *DB) Do(ctx context.Context, sites []string, run func(ctx context.Context, tx *Tx) error) error {
	return db.do(ctx, attemptMost, sites, run)
}

func (db *DB) do(ctx context.Context, most time.Duration, sites []string, run func(ctx context.Context, tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.begin(); err != nil {
		return err
	}
	defer db.work.Done()
	return db.transact(sites, 1, most, doJob{run})
}

type doJob struct {
	run func(ctx context.Context, tx *Tx) error
}

func (doJob) read(*pgx.Batch, *Tx)                       {}
func (j doJob) decide(ctx context.Context, tx *Tx) error { return j.run(ctx, tx) }
func (doJob) write(*pgx.Batch, *Tx)                      {}

func milli(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
