package boltstore

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// Formats of a comment: before there was more to keep than status and words, and since.
const (
	formatCommentPlain Format = 1
	formatComment      Format = 2
)

// stored is a comment as the file holds it: what decisions change comes first, then the
// words, which a decision copies without reading them.
type stored struct {
	comments.Comment
	addrExpires time.Time // names its address's record; zero = none was stored

	// What is read only where it is asked for:
	history []uint64 // seqs of its events, ascending
	body    []byte   // the words as encoded
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
	b := newRecord(96 + 4*len(c.history) + len(c.body))
	b = binary.AppendUvarint(b, c.Version)
	b = append(b, statusCode(c.Status))
	b = appendTime(b, c.addrExpires)
	b = binary.AppendUvarint(b, uint64(len(c.history)))
	var before uint64
	for _, seq := range c.history {
		b = binary.AppendUvarint(b, seq-before)
		before = seq
	}
	b = appendBeside(b, &c.Comment)
	return seal(formatComment, key, append(b, c.body...))
}

// What a comment has beside status and words: mostly little, so a byte says what follows.
const (
	hasRoot = 1 << iota
	hasAuthor
	hasNumbers
	hasPublic
)

func appendBeside(b []byte, c *comments.Comment) []byte {
	at := len(b)
	b = append(b, 0)
	if c.Root != "" {
		b[at] |= hasRoot
		u := c.Root.UUID()
		b = append(b, u[:]...)
	}
	if !c.Author.IsZero() {
		b[at] |= hasAuthor
		b = append(b, c.Author[:]...)
	}
	if c.Risk != 0 || c.Likes != 0 || c.Reports != 0 || c.Marks != 0 {
		b[at] |= hasNumbers
		for _, n := range []uint64{uint64(c.Risk), uint64(c.Likes), uint64(c.Reports), uint64(c.Marks)} {
			b = binary.AppendUvarint(b, n)
		}
	}
	if c.Public != nil {
		b[at] |= hasPublic
		b = appendWords(b, *c.Public)
	}
	return b
}

func appendWords(b []byte, w comments.Words) []byte {
	b = appendTime(b, w.EditedAt)
	return appendText(appendText(appendText(b, w.Name), w.Title), w.Content)
}

func (d *decoder) words() (w comments.Words) {
	w.EditedAt = d.time()
	w.Name, w.Title, w.Content = d.text(), d.text(), d.text()
	return w
}

func (d *decoder) beside(c *comments.Comment) {
	has := d.byte()
	if has >= 2*hasPublic {
		d.fail()
	}
	if has&hasRoot != 0 {
		if u := d.uuid(); !d.bad {
			c.Root = makeID(c.Site, u)
		}
	}
	if has&hasAuthor != 0 {
		copy(c.Author[:], d.take(len(c.Author)))
	}
	if has&hasNumbers != 0 {
		risk, likes, reports, marks := d.uint(), d.uint(), d.uint(), d.uint()
		if risk > math.MaxUint16 || likes > math.MaxInt64 || reports > math.MaxInt64 || marks > math.MaxUint32 {
			d.fail()
			return
		}
		c.Risk, c.Likes, c.Reports, c.Marks = uint16(risk), int64(likes), int64(reports), comments.Marks(marks)
	}
	if has&hasPublic != 0 {
		w := d.words()
		c.Public = &w
	}
}

// decodeComment reads a record. Only with full does it keep the history and the encoded
// words; most readers want neither.
func decodeComment(site string, key, record []byte, full bool) (stored, error) {
	f, payload, err := open(bucketComments, key, record)
	if err != nil {
		return stored{}, err
	}
	if f != formatComment && f != formatCommentPlain || len(key) != commentSize {
		return stored{}, damaged(bucketComments, key, "it is no comment")
	}
	var c stored
	d := decoder{s: string(payload)}
	c.ID, c.Site = makeID(site, uuid.UUID(key[4:])), site
	c.Version = d.uint()
	c.Status = d.status()
	c.addrExpires = d.time()
	n, seq := d.count(), uint64(0)
	if full {
		c.history = make([]uint64, 0, n)
	}
	for range n {
		seq += d.uint()
		if full {
			c.history = append(c.history, seq)
		}
	}
	if f == formatComment {
		d.beside(&c.Comment)
	}
	if full {
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

// comment reads one comment, or comments.ErrNotFound.
func (tx *Tx) comment(number uint32, site string, id uuid.UUID, full bool) (stored, error) {
	key := commentKey(number, id)
	record := tx.get(bucketComments, key)
	if record == nil {
		return stored{}, fmt.Errorf("comment: %w", comments.ErrNotFound)
	}
	return decodeComment(site, key, record, full)
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

// makeID is comments.MakeID in one allocation.
func makeID(site string, id uuid.UUID) comments.ID {
	var b [32 + 1 + 36]byte
	n := copy(b[:32], site)
	b[n] = '~'
	text := b[n+1 : n+1+36]
	hex.Encode(text, id[:4])
	text[8] = '-'
	hex.Encode(text[9:], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:], id[10:])
	return comments.ID(b[:n+1+36])
}
