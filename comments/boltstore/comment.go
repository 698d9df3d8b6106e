package boltstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

const formatComment Format = 1

// stored is a comment as the file holds it: what decisions change comes first, then the
// words, which a decision copies without reading them.
type stored struct {
	comments.Comment
	history     []uint64  // seqs of its events, ascending
	addrExpires time.Time // names its address's record; zero = none was stored
	body        []byte    // the words as encoded; nil when read to be shown
}

// appendBody encodes what a decision leaves as it is. It needs no transaction, so it is
// done before queueing for one.
func appendBody(b []byte, c comments.Comment) []byte {
	b = appendTime(b, c.CreatedAt)
	b = appendTime(b, c.EditedAt)
	b = appendUUID(b, c.Parent)
	b = appendText(b, c.Page)
	b = appendText(b, c.Lang)
	b = appendText(b, c.Name)
	b = appendText(b, c.Title)
	b = appendText(b, c.Content)
	return appendSignals(b, c.Signals)
}

func appendSignals(b []byte, signals []comments.Signal) []byte {
	b = binary.AppendUvarint(b, uint64(len(signals)))
	for _, s := range signals {
		b = appendText(b, s.Check)
		b = appendText(b, string(s.Level))
		b = appendText(b, s.Code)
		b = binary.AppendUvarint(b, uint64(len(s.Args)))
		for k, v := range s.Args {
			b = appendText(appendText(b, k), v)
		}
		b = binary.AppendUvarint(b, uint64(len(s.Places)))
		for _, p := range s.Places {
			b = appendText(b, p.Field)
			b = binary.AppendUvarint(b, uint64(p.Start))
			b = binary.AppendUvarint(b, uint64(p.End))
		}
	}
	return b
}

func (c *stored) record(key []byte) []byte {
	b := newRecord(32 + 4*len(c.history) + len(c.body))
	b = binary.AppendUvarint(b, c.Version)
	b = append(b, statusCode(c.Status))
	b = appendTime(b, c.addrExpires)
	b = binary.AppendUvarint(b, uint64(len(c.history)))
	var before uint64
	for _, seq := range c.history {
		b = binary.AppendUvarint(b, seq-before)
		before = seq
	}
	return seal(formatComment, key, append(b, c.body...))
}

// decodeComment reads a record. With keep it also keeps the encoded words, to be written
// again.
func decodeComment(site string, key, record []byte, keep bool) (stored, error) {
	f, payload, err := open(bucketComments, key, record)
	if err != nil {
		return stored{}, err
	}
	if f != formatComment || len(key) != commentSize {
		return stored{}, damaged(bucketComments, key, "it is no comment")
	}
	var c stored
	d := decoder{s: string(payload)}
	c.ID, c.Site = comments.MakeID(site, uuid.UUID(key[4:])), site
	c.Version = d.uint()
	c.Status = d.status()
	c.addrExpires = d.time()
	if n := d.count(); n > 0 {
		c.history = make([]uint64, n)
		var seq uint64
		for i := range c.history {
			seq += d.uint()
			c.history[i] = seq
		}
	}
	if keep {
		c.body = []byte(d.s)
	}
	d.body(&c.Comment)
	if !d.done() || c.Status == "" {
		return stored{}, damaged(bucketComments, key, "it is no comment")
	}
	return c, nil
}

func (d *decoder) body(c *comments.Comment) {
	c.CreatedAt = d.time()
	c.EditedAt = d.time()
	c.Parent = d.id(c.Site)
	c.Page = d.text()
	c.Lang = d.text()
	c.Name = d.text()
	c.Title = d.text()
	c.Content = d.text()
	c.Signals = d.signals()
}

func (d *decoder) signals() []comments.Signal {
	n := d.count()
	if n == 0 {
		return nil
	}
	// Grown one by one, since the count is not to be trusted with memory.
	var signals []comments.Signal
	for range n {
		s := comments.Signal{Check: d.text(), Level: comments.Level(d.text()), Code: d.text()}
		if n := d.count(); n > 0 {
			s.Args = map[string]string{}
			for range n {
				k := d.text()
				s.Args[k] = d.text()
			}
		}
		for range d.count() {
			s.Places = append(s.Places, comments.Place{Field: d.text(), Start: int(d.uint()), End: int(d.uint())})
		}
		if d.bad {
			return nil
		}
		signals = append(signals, s)
	}
	return signals
}

// suspect reports whether a comment belongs in the queue of suspects.
func suspect(c *comments.Comment) bool {
	return c.Status == comments.Pending && slices.ContainsFunc(c.Signals, func(s comments.Signal) bool {
		return s.Level == comments.LevelHold || s.Level == comments.LevelSpam
	})
}

// comment reads one comment, or comments.ErrNotFound.
func (tx *Tx) comment(number uint32, site string, id uuid.UUID, keep bool) (stored, error) {
	key := commentKey(number, id)
	record := tx.get(bucketComments, key)
	if record == nil {
		return stored{}, fmt.Errorf("comment: %w", comments.ErrNotFound)
	}
	return decodeComment(site, key, record, keep)
}

// Comment implements comments.CommentReader.
func (db *DB) Comment(ctx context.Context, id comments.ID) (c comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		site := id.Site()
		number, err := tx.siteNumber(site)
		if err != nil {
			return orUnknown(err, id)
		}
		found, err := tx.comment(number, site, id.UUID(), false)
		if err == nil {
			c = found.Comment
		}
		return err
	})
	return c, err
}
