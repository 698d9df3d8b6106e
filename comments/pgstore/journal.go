package pgstore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"duyet/comments"
)

const eventColumns = `e.seq, e.at, e.actor, e.kind, e.comment, e.subject, e.from_status, e.to_status, e.version, e.reason, e.detail, e.chain`

// eventFields are where a row of eventColumns goes. finish completes the event.
type eventFields struct {
	at      pgtype.Timestamptz
	comment pgtype.UUID
}

func (f *eventFields) into(e *comments.Event) []any {
	return []any{&e.Seq, &f.at, &e.Actor, &e.Kind, &f.comment, &e.Subject, &e.From, &e.To, &e.Version, &e.Reason, &e.Detail, &e.Chain}
}

func (f *eventFields) finish(site string, e *comments.Event) {
	e.Site, e.At, e.Comment = site, f.at.Time.UTC(), commentID(site, f.comment)
}

// writeJournal queues a site's new events with what was typed with them.
func (tx *Tx) writeJournal(b *pgx.Batch, site string) {
	for _, c := range tx.commits {
		if e := c.Event; e.Site == site {
			b.Queue(`INSERT INTO events (site, seq, at, actor, kind, comment, subject, from_status, to_status, version, reason, detail, chain)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				site, e.Seq, Stamp(e.At), e.Actor, string(e.Kind), uuidOf(e.Comment), e.Subject,
				string(e.From), string(e.To), e.Version, e.Reason, e.Detail, e.Chain)
		}
	}
	for _, d := range tx.details {
		if d.site == site {
			salt := d.Salt
			if salt == nil {
				salt = []byte{}
			}
			b.Queue(`INSERT INTO details (site, seq, salt, reason, note) VALUES ($1, $2, $3, $4, $5)`,
				site, d.seq, salt, d.Reason, d.Note)
		}
	}
}

const transitionColumns = eventColumns + `, d.salt, coalesce(d.reason, ''), coalesce(d.note, '')`

// joinDetail goes with transitionColumns.
const joinDetail = ` LEFT JOIN details d ON d.site = e.site AND d.seq = e.seq `

func collectTransitions(rows pgx.Rows, site string) (list []comments.Transition, err error) {
	defer rows.Close()
	for rows.Next() {
		var t comments.Transition
		var f eventFields
		if err := rows.Scan(append(f.into(&t.Event), &t.Salt, &t.Detail.Reason, &t.Note)...); err != nil {
			return nil, err
		}
		f.finish(site, &t.Event)
		list = append(list, t)
	}
	return list, rows.Err()
}

// Events implements comments.Journal.
func (db *DB) Events(ctx context.Context, site string, after uint64, limit int) (list []comments.Transition, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		h, err := readHead(ctx, q, site)
		if err != nil || limit <= 0 || after >= h.Seq {
			list = nil
			return err
		}
		rows, err := q.Query(ctx, `SELECT `+transitionColumns+` FROM events e`+joinDetail+`
			WHERE e.site = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq`, site, after, min(h.Seq, after+uint64(limit)))
		if err != nil {
			return err
		}
		if list, err = collectTransitions(rows, site); err != nil {
			return err
		}
		for i, t := range list {
			if t.Seq != after+uint64(i)+1 {
				return damagedEvent(site, after+uint64(i)+1, "it is missing")
			}
		}
		if want := min(h.Seq-after, uint64(limit)); uint64(len(list)) < want {
			return damagedEvent(site, after+uint64(len(list))+1, "it is missing")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// History implements comments.Journal.
func (db *DB) History(ctx context.Context, id comments.ID) (list []comments.Transition, err error) {
	site, u := id.Site(), uuidOf(id)
	err = db.Read(ctx, func(q Queryer) error {
		rows, err := q.Query(ctx, `SELECT `+transitionColumns+` FROM events e`+joinDetail+`
			WHERE e.site = $1 AND e.comment = $2 ORDER BY e.seq`, site, u)
		if err != nil {
			return err
		}
		if list, err = collectTransitions(rows, site); err != nil || len(list) > 0 {
			return err
		}
		return fmt.Errorf("comment %s: %w", id, comments.ErrNotFound)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// VerifyChain implements comments.Journal. It also holds every detail that was not erased
// against the event it belongs to.
func (db *DB) VerifyChain(ctx context.Context, site string) (verified comments.Head, err error) {
	err = db.Read(ctx, func(q Queryer) error {
		return moment(ctx, q, func() error {
			h, err := readHead(ctx, q, site)
			if err != nil {
				return err
			}
			verified = h.Head
			return db.verifyChain(ctx, q, h.Head, site)
		})
	})
	if err != nil {
		return comments.Head{}, err
	}
	return verified, nil
}

// moment runs reads that see the database as of one moment and may go over all of it,
// however long that takes.
func moment(ctx context.Context, q Queryer, run func() error) error {
	if _, err := q.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
		return err
	}
	_, err := q.Exec(ctx, `SELECT set_config(name, value, true) FROM (VALUES ('statement_timeout', '0'),
		('enable_seqscan', 'on'), ('enable_bitmapscan', 'on'), ('enable_sort', 'on'),
		('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'), ('plan_cache_mode', 'auto')) AS s (name, value)`)
	if err == nil {
		err = run()
	}
	// Whatever the end, nothing was written; a lost connection ends the transaction too.
	if _, end := q.Exec(context.WithoutCancel(ctx), `ROLLBACK`); err == nil {
		err = end
	}
	return err
}

func (db *DB) verifyChain(ctx context.Context, q Queryer, h comments.Head, site string) error {
	rows, err := q.Query(ctx, `SELECT `+transitionColumns+` FROM events e`+joinDetail+` WHERE e.site = $1 ORDER BY e.seq`, site)
	if err != nil {
		return err
	}
	defer rows.Close()
	v := chainVerifier{site: site, mac: hmac.New(sha256.New, db.key)}
	for rows.Next() {
		var t comments.Transition
		var f eventFields
		if err := rows.Scan(append(f.into(&t.Event), &t.Salt, &t.Detail.Reason, &t.Note)...); err != nil {
			return err
		}
		f.finish(site, &t.Event)
		if err := v.next(t.Event); err != nil {
			return err
		}
		if t.Event.Detail != nil && t.Salt != nil && !hmac.Equal(t.Detail.Sum(), t.Event.Detail) {
			return damagedEvent(site, t.Seq, "what was typed with it was changed")
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return v.end(h)
}

// chainVerifier follows the events of one site from where it starts.
type chainVerifier struct {
	site  string
	mac   hash.Hash
	seq   uint64
	chain []byte
}

func (v *chainVerifier) next(e comments.Event) error {
	switch {
	case e.Seq != v.seq+1:
		return damagedEvent(v.site, v.seq+1, "it is missing")
	case !hmac.Equal(e.Link(v.mac, v.chain), e.Chain):
		return damagedEvent(v.site, e.Seq, "it does not fit the chain")
	}
	v.seq, v.chain = e.Seq, e.Chain
	return nil
}

func (v *chainVerifier) end(h comments.Head) error {
	switch {
	case v.seq < h.Seq:
		return damagedEvent(v.site, v.seq+1, "it is missing")
	case v.seq > h.Seq:
		return damagedEvent(v.site, h.Seq+1, "it stands after the head")
	case !bytes.Equal(v.chain, h.Chain):
		return damagedEvent(v.site, h.Seq, "the head has another chain")
	}
	return nil
}

func damagedEvent(site string, seq uint64, what string) error {
	return fmt.Errorf("site %s, event %d: %s: %w", site, seq, what, comments.ErrDamaged)
}
