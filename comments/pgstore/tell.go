package pgstore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"duyet/comments"
)

// Every node tells its observers of every commit, its own and the others', once each and
// in order of Seq. A cursor a site says how far it has come. A write reads, under the
// head's lock, what others have committed since the cursor, so that its own comes after
// it; where nothing is written, the follower (follow.go) reads on.

// told is a commit as observers are told of it.
type told = comments.Commit

// cursor is how far this node has told of a site.
type cursor struct {
	epoch int64 // 0 = nothing yet
	seq   uint64
	chain []byte
}

// missedMost is how many commits of others fit beside a write.
const missedMost = 200

// reaches reports whether the commits between follow the cursor without a gap and end at
// the head.
func (c cursor) reaches(h *head, between []told, key []byte) bool {
	if h == nil {
		return true
	}
	if c.epoch != 0 && c.epoch != h.epoch {
		return false
	}
	v := chainVerifier{mac: hmac.New(sha256.New, key), seq: c.seq, chain: c.chain}
	for _, t := range between {
		if v.next(t.Event) != nil {
			return false
		}
	}
	return v.seq == h.Seq && bytes.Equal(v.chain, h.Chain)
}

// span is a stretch of a journal that a write of this node is about to add, or may have
// added: that write tells of it, not the follower.
type span struct {
	tx       *Tx
	from, to uint64
}

// tellings is what this node has told, and to whom it tells.
type tellings struct {
	mu        sync.Mutex // held while observers are told
	observers []comments.Observer
	cursors   map[string]cursor
	spans     map[string][]span
}

func (t *tellings) cursor(site string) cursor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cursors[site]
}

func (t *tellings) reserve(tx *Tx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, site := range tx.sites {
		s := span{tx: tx}
		for _, c := range tx.commits {
			if c.Event.Site == site {
				if s.from == 0 {
					s.from = c.Event.Seq
				}
				s.to = c.Event.Seq
			}
		}
		if s.from != 0 {
			t.spans[site] = append(t.spans[site], s)
		}
	}
}

func (t *tellings) release(tx *Tx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(tx)
}

func (t *tellings) drop(tx *Tx) {
	for _, site := range tx.sites {
		t.spans[site] = slices.DeleteFunc(t.spans[site], func(s span) bool { return s.tx == tx })
		if len(t.spans[site]) == 0 {
			delete(t.spans, site)
		}
	}
}

func (t *tellings) reserved(site string, seq uint64) bool {
	return slices.ContainsFunc(t.spans[site], func(s span) bool { return seq >= s.from && seq <= s.to })
}

// Observe implements comments.Observable.
func (db *DB) Observe(o comments.Observer) {
	db.tell.mu.Lock()
	defer db.tell.mu.Unlock()
	db.tell.observers = append(slices.Clip(db.tell.observers), o)
}

// startCursors has every journal told from its present end.
func (db *DB) startCursors(ctx context.Context) error {
	db.tell.cursors, db.tell.spans = map[string]cursor{}, map[string][]span{}
	return db.Read(ctx, func(q Queryer) error {
		began := time.Now()
		ends, err := readEnds(ctx, q)
		if err == nil {
			db.tell.cursors = ends
			if !db.sole {
				db.heard.Store(began.UnixNano())
			}
		}
		return err
	})
}

// readEnds is the end of every journal.
func readEnds(ctx context.Context, q Queryer) (map[string]cursor, error) {
	rows, err := q.Query(ctx, `SELECT site, epoch, seq, chain FROM heads`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ends := map[string]cursor{}
	for rows.Next() {
		var site string
		var c cursor
		if err := rows.Scan(&site, &c.epoch, &c.seq, &c.chain); err != nil {
			return nil, err
		}
		ends[site] = c
	}
	return ends, rows.Err()
}

// missedCommits are a site's events after the cursor, each with its comment as it stands.
const missedCommits = `SELECT ` + eventColumns + `, ` + maybeComment + `
	FROM events e
	LEFT JOIN comments c ON c.site = e.site AND c.id = e.comment
	LEFT JOIN pages p ON p.site = c.site AND p.id = c.page
	WHERE e.site = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3`

func (tx *Tx) readMissed(b *pgx.Batch, site string, c cursor) {
	b.Queue(missedCommits, site, c.seq, missedMost).Query(func(rows pgx.Rows) (err error) {
		tx.missed[site], err = collectMissed(rows, site)
		return err
	})
}

func collectMissed(rows pgx.Rows, site string) (list []told, err error) {
	defer rows.Close()
	for rows.Next() {
		t := told{Elsewhere: true}
		var e eventFields
		var c commentFields
		if err := rows.Scan(append(e.into(&t.Event), c.into(&t.Comment)...)...); err != nil {
			return nil, err
		}
		e.finish(site, &t.Event)
		if t.Event.Comment != "" && c.id.Valid {
			if err := c.finish(site, &t.Comment); err != nil {
				return nil, err
			}
			t.Page = t.Comment.Page
			t.Stood = t.Event.From == comments.Approved || t.Event.From == comments.Pending
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// announce tells of what others have committed before a write, and of the write.
func (db *DB) announce(tx *Tx) {
	t := &db.tell
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(tx)
	for _, site := range tx.sites {
		if h := tx.heads[site]; h == nil {
			delete(t.cursors, site) // removed, or never there
		} else if t.cursors[site].epoch != h.epoch {
			t.cursors[site] = cursor{epoch: h.epoch}
		}
		for _, m := range tx.missed[site] {
			db.tellOne(m)
		}
	}
	for _, c := range tx.commits {
		db.tellOne(c)
	}
}

// tellOne tells of a commit unless it was told already; tellings.mu is held.
func (db *DB) tellOne(c told) {
	e := c.Event
	at, known := db.tell.cursors[e.Site]
	if !known || e.Seq <= at.seq {
		return
	}
	at.seq, at.chain = e.Seq, e.Chain
	db.tell.cursors[e.Site] = at
	for _, o := range db.tell.observers {
		db.safely(o, c)
	}
}

// safely keeps an observer's panic from the writers.
func (db *DB) safely(o comments.Observer, c comments.Commit) {
	defer func() {
		if p := recover(); p != nil {
			db.log.Error("an observer of commits panicked", "kind", c.Event.Kind, "fault", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	o(c)
}

// catchUp tells of all that others have committed to a site. With mine it passes over
// nothing; without, it stops where a write of this node is about to tell of its own.
func (db *DB) catchUp(ctx context.Context, site string, mine bool) error {
	for {
		var h *head
		var list []told
		from := db.tell.cursor(site)
		err := db.Read(ctx, func(q Queryer) (err error) {
			if h, err = readHead(ctx, q, site); err != nil {
				return err
			}
			start := from.seq
			if from.epoch != h.epoch {
				start = 0
			}
			rows, err := q.Query(ctx, missedCommits, site, start, missedMost)
			if err != nil {
				return err
			}
			list, err = collectMissed(rows, site)
			return err
		})
		if errors.Is(err, comments.ErrUnknownSite) {
			db.tell.forget(site, from)
			return nil
		}
		if err != nil || db.advance(site, from, h, list, mine) {
			return err
		}
	}
}

// advance tells of commits read after a cursor, and reports whether that is all there is
// to tell for now.
func (db *DB) advance(site string, from cursor, h *head, list []told, mine bool) (done bool) {
	t := &db.tell
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.cursors[site]
	if at.epoch != from.epoch || at.seq < from.seq {
		return false // somebody else has found a new beginning; look again
	}
	if at.epoch != h.epoch {
		at = cursor{epoch: h.epoch}
		from = at
	}
	if at.seq == from.seq && (h.Seq < at.seq || h.Seq == at.seq && !bytes.Equal(h.Chain, at.chain)) {
		return db.rewritten(site, h)
	}
	v := chainVerifier{site: site, mac: hmac.New(sha256.New, db.key), seq: from.seq, chain: from.chain}
	t.cursors[site] = at
	for _, c := range list {
		if v.next(c.Event) != nil {
			return db.rewritten(site, h)
		}
		if !mine && c.Event.Seq > t.cursors[site].seq && t.reserved(site, c.Event.Seq) {
			return true
		}
		db.tellOne(c)
	}
	return len(list) < missedMost
}

// rewritten goes on from the end of a journal that does not follow what was told of it:
// commits were lost in a failover without a synchronous standby, or somebody changed the
// journal.
func (db *DB) rewritten(site string, h *head) (done bool) {
	db.log.Error("the journal does not follow what this node has seen; run 'duyet audit verify'",
		"site", site, "seen", db.tell.cursors[site].seq, "head", h.Seq)
	db.tell.cursors[site] = cursor{epoch: h.epoch, seq: h.Seq, chain: h.Chain}
	return true
}

// forget drops the cursor of a site that was removed, unless it has moved meanwhile.
func (t *tellings) forget(site string, at cursor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.cursors[site]; now.epoch == at.epoch && now.seq == at.seq {
		delete(t.cursors, site)
	}
}
