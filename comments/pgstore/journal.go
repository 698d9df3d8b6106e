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
	var seqs, versions []int64
	var ats []pgtype.Timestamptz
	var ids []pgtype.UUID
	var actors, kinds, subjects, from, to, reasons []string
	var sums, chains [][]byte
	for _, c := range tx.commits {
		e := c.Event
		if e.Site != site {
			continue
		}
		seqs, versions = append(seqs, int64(e.Seq)), append(versions, int64(e.Version))
		ats, ids = append(ats, Stamp(e.At)), append(ids, uuidOf(e.Comment))
		actors, kinds, subjects = append(actors, e.Actor), append(kinds, string(e.Kind)), append(subjects, e.Subject)
		from, to, reasons = append(from, string(e.From)), append(to, string(e.To)), append(reasons, e.Reason)
		sums, chains = append(sums, e.Detail), append(chains, e.Chain)
	}
	if seqs == nil {
		return
	}
	b.Queue(`INSERT INTO events (site, seq, at, actor, kind, comment, subject, from_status, to_status, version, reason, detail, chain)
		SELECT $1, u.* FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::text[],
			$8::text[], $9::text[], $10::bigint[], $11::text[], $12::bytea[], $13::bytea[]) AS u`,
		site, seqs, ats, actors, kinds, ids, subjects, from, to, versions, reasons, sums, chains)
	tx.writeDetails(b, site)
}

func (tx *Tx) writeDetails(b *pgx.Batch, site string) {
	var seqs []int64
	var salts [][]byte
	var reasons, notes []string
	for _, d := range tx.details {
		if d.site == site {
			salt := d.Salt
			if salt == nil {
				salt = []byte{}
			}
			seqs, salts = append(seqs, int64(d.seq)), append(salts, salt)
			reasons, notes = append(reasons, d.Reason), append(notes, d.Note)
		}
	}
	if seqs != nil {
		b.Queue(`INSERT INTO details (site, seq, salt, reason, note)
			SELECT $1, u.* FROM unnest($2::bigint[], $3::bytea[], $4::text[], $5::text[]) AS u`,
			site, seqs, salts, reasons, notes)
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
	_, err := q.Exec(ctx, `SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN '0' ELSE 'on' END, true)
		FROM unnest(ARRAY['statement_timeout', 'enable_seqscan', 'enable_bitmapscan', 'enable_sort']) AS name`)
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
