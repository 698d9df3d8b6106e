package boltstore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"

	"duyet/comments"
)

const (
	formatEvent  Format = 1
	formatDetail Format = 1
)

// eventRecord holds the chain first, in 32 bytes.
func eventRecord(key []byte, e comments.Event) []byte {
	b := newRecord(192)
	b = append(b, e.Chain...)
	b = appendTime(b, e.At)
	b = appendText(b, e.Actor)
	b = appendText(b, string(e.Kind))
	b = appendUUID(b, e.Comment)
	b = appendText(b, e.Subject)
	b = append(b, statusCode(e.From), statusCode(e.To))
	b = binary.AppendUvarint(b, e.Version)
	b = appendText(b, e.Reason)
	b = appendText(b, string(e.Detail))
	return seal(formatEvent, key, b)
}

func decodeEvent(site string, key, record []byte) (comments.Event, error) {
	f, payload, err := open(bucketJournal, key, record)
	if err != nil {
		return comments.Event{}, err
	}
	if f != formatEvent || len(key) != 12 {
		return comments.Event{}, damaged(bucketJournal, key, "it is no event")
	}
	d := decoder{s: string(payload)}
	e := comments.Event{Site: site, Seq: binary.BigEndian.Uint64(key[4:])}
	e.Chain = d.bytes(comments.ChainSize)
	e.At = d.time()
	e.Actor = d.text()
	e.Kind = comments.Kind(d.text())
	e.Comment = d.id(site)
	e.Subject = d.text()
	e.From, e.To = d.status(), d.status()
	e.Version = d.uint()
	e.Reason = d.text()
	if detail := d.text(); detail != "" {
		e.Detail = []byte(detail)
	}
	if !d.done() {
		return comments.Event{}, damaged(bucketJournal, key, "it is no event")
	}
	return e, nil
}

func detailRecord(key []byte, d comments.Detail) []byte {
	b := appendText(newRecord(64+len(d.Note)), string(d.Salt))
	return seal(formatDetail, key, appendText(appendText(b, d.Reason), d.Note))
}

func decodeDetail(key, record []byte) (comments.Detail, error) {
	f, payload, err := open(bucketDetails, key, record)
	if err != nil {
		return comments.Detail{}, err
	}
	d := decoder{s: string(payload)}
	detail := comments.Detail{Salt: []byte(d.text()), Reason: d.text(), Note: d.text()}
	if f != formatDetail || !d.done() {
		return comments.Detail{}, damaged(bucketDetails, key, "it is no detail")
	}
	return detail, nil
}

// Append adds an event about no comment to the journal of its site, at the next Seq and
// chained to the one before. At is the store's clock when zero. The error is
// comments.ErrUnknownSite, or ErrDamaged for a head that can't be read; call Ready first
// where something has been written before.
func (tx *Tx) Append(e comments.Event) (comments.Event, error) {
	h, err := tx.head(e.Site)
	if err != nil {
		return comments.Event{}, err
	}
	return tx.append(h, e, nil, nil), nil
}

// Ready reports whether Append can add to the journal of a site.
func (tx *Tx) Ready(site string) error {
	_, err := tx.head(site)
	return err
}

// append adds an event, its detail and what observers are told of its comment.
func (tx *Tx) append(h *head, e comments.Event, detail *comments.Detail, about *comments.Comment) comments.Event {
	tx.wrote()
	if e.At.IsZero() {
		e.At = tx.Now()
	}
	e.At = milli(e.At)
	e.Seq = h.Seq + 1
	e.Detail = nil
	key := eventKey(h.number, e.Seq)
	if detail != nil {
		e.Detail = detail.Sum()
		tx.put(bucketDetails, key, detailRecord(key, *detail))
	}
	e.Chain = e.Link(tx.mac, h.Chain)
	h.Seq, h.Chain, h.dirty = e.Seq, e.Chain, true
	tx.put(bucketJournal, key, eventRecord(key, e))
	commit := comments.Commit{Event: e}
	if about != nil {
		commit.Page, commit.Comment = about.Page, *about
	}
	tx.commits = append(tx.commits, commit)
	return e
}

// transition reads one event with what was typed with it.
func (tx *Tx) transition(number uint32, site string, seq uint64) (t comments.Transition, err error) {
	key := eventKey(number, seq)
	record := tx.get(bucketJournal, key)
	if record == nil {
		return t, damaged(bucketJournal, key, "it is missing")
	}
	if t.Event, err = decodeEvent(site, key, record); err != nil || t.Event.Detail == nil {
		return t, err
	}
	t.Detail, err = tx.detail(key)
	return t, err
}

// detail is what was typed with an event; erased words are the zero Detail.
func (tx *Tx) detail(key []byte) (comments.Detail, error) {
	record := tx.get(bucketDetails, key)
	if record == nil {
		return comments.Detail{}, nil
	}
	return decodeDetail(key, record)
}

// Events implements comments.Journal.
func (db *DB) Events(ctx context.Context, site string, after uint64, limit int) (list []comments.Transition, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		h, err := tx.head(site)
		if err != nil {
			return err
		}
		for seq := after; seq < h.Seq && len(list) < limit; {
			seq++
			t, err := tx.transition(h.number, site, seq)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// History implements comments.Journal.
func (db *DB) History(ctx context.Context, id comments.ID) (list []comments.Transition, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		site := id.Site()
		number, err := tx.siteNumber(site)
		if err != nil {
			return orUnknown(err, id)
		}
		c, err := tx.comment(number, site, id.UUID(), true)
		if err != nil {
			return err
		}
		for _, seq := range c.history {
			t, err := tx.transition(number, site, seq)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// VerifyChain implements comments.Journal. It also holds every detail that was not erased
// against the event it belongs to.
func (db *DB) VerifyChain(ctx context.Context, site string) (verified comments.Head, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		h, err := tx.head(site)
		if err != nil {
			return err
		}
		verified = h.Head
		return tx.verifyChain(ctx, h, site, newMAC(db.key))
	})
	if err != nil {
		return comments.Head{}, err
	}
	return verified, nil
}

func newMAC(key []byte) hash.Hash { return hmac.New(sha256.New, key) }

func (tx *Tx) verifyChain(ctx context.Context, h *head, site string, mac hash.Hash) error {
	v := chainVerifier{site: site, mac: mac}
	prefix := siteKey(h.number)
	c := tx.bucket(bucketJournal).Cursor()
	for k, record := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, record = c.Next() {
		if v.seq%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e, err := v.next(k, record)
		if err != nil {
			return err
		}
		if e.Detail == nil {
			continue
		}
		detail, err := tx.detail(k)
		if err != nil {
			return err
		}
		if detail.Salt != nil && !hmac.Equal(detail.Sum(), e.Detail) {
			return fmt.Errorf("site %s, event %d: what was typed with it was changed: %w", site, e.Seq, comments.ErrDamaged)
		}
	}
	return v.end(h.Head)
}

// chainVerifier follows the events of one site from the first.
type chainVerifier struct {
	site  string
	mac   hash.Hash
	seq   uint64
	chain []byte
}

func (v *chainVerifier) next(key, record []byte) (comments.Event, error) {
	e, err := decodeEvent(v.site, key, record)
	switch {
	case err != nil:
		return e, fmt.Errorf("site %s, event %d: %w", v.site, v.seq+1, strip(err))
	case e.Seq != v.seq+1:
		return e, fmt.Errorf("site %s, event %d: it is missing: %w", v.site, v.seq+1, comments.ErrDamaged)
	case !hmac.Equal(e.Link(v.mac, v.chain), e.Chain):
		return e, fmt.Errorf("site %s, event %d: it does not fit the chain: %w", v.site, e.Seq, comments.ErrDamaged)
	}
	v.seq, v.chain = e.Seq, e.Chain
	return e, nil
}

func (v *chainVerifier) end(h comments.Head) error {
	switch {
	case v.seq < h.Seq:
		return fmt.Errorf("site %s, event %d: it is missing: %w", v.site, v.seq+1, comments.ErrDamaged)
	case v.seq > h.Seq:
		return fmt.Errorf("site %s, event %d: it stands after the head: %w", v.site, h.Seq+1, comments.ErrDamaged)
	case !bytes.Equal(v.chain, h.Chain):
		return fmt.Errorf("site %s, event %d: the head has another chain: %w", v.site, h.Seq, comments.ErrDamaged)
	}
	return nil
}

// strip keeps an error's words from saying "damaged record" twice.
func strip(err error) error {
	if !errors.Is(err, comments.ErrDamaged) {
		return err
	}
	what := strings.TrimSuffix(err.Error(), ": "+comments.ErrDamaged.Error())
	return fmt.Errorf("%s: %w", what, comments.ErrDamaged)
}
