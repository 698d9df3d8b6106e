package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"duyet/comments"
)

// Formats of a head: before queues other than of suspects were counted, and since.
const (
	formatHeadPlain Format = 1
	formatHead      Format = 2
)

// head is the end of a site's journal with all that is counted beside it. Its record has
// a fixed size: 4 bytes number, 8 seq, 32 chain, 5×8 counts, 4 last page, 4×8 tally.
type head struct {
	comments.Head
	number   uint32
	lastPage uint32 // the highest number a page was given
	dirty    bool   // differs from what is stored
	plain    bool   // stored before queues other than of suspects were kept
}

// In the plain format the one tally, of suspects, stands before the last page.
const (
	headPlain   = 4 + 8 + comments.ChainSize + 5*8 + 8 + 4
	headPayload = 4 + 8 + comments.ChainSize + 5*8 + 4 + 4*8
)

func (h *head) record(site string) []byte {
	b := newRecord(headPayload)
	b = binary.BigEndian.AppendUint32(b, h.number)
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	chain := h.Chain
	if chain == nil {
		chain = make([]byte, comments.ChainSize)
	}
	b = append(b, chain...)
	for _, s := range comments.Statuses {
		b = binary.BigEndian.AppendUint64(b, uint64(h.Counts.Of(s)))
	}
	b = binary.BigEndian.AppendUint32(b, h.lastPage)
	for _, q := range comments.Queues {
		b = binary.BigEndian.AppendUint64(b, uint64(h.Queues.Of(q)))
	}
	return seal(formatHead, []byte(site), b)
}

func decodeHead(key, record []byte) (head, error) {
	f, b, err := open(bucketHeads, key, record)
	if err != nil {
		return head{}, err
	}
	h := head{plain: f == formatHeadPlain}
	if !(h.plain && len(b) == headPlain || f == formatHead && len(b) == headPayload) {
		return head{}, damaged(bucketHeads, key, "it is no head")
	}
	h.number = binary.BigEndian.Uint32(b)
	h.Seq = binary.BigEndian.Uint64(b[4:])
	b = b[12:]
	if h.Seq > 0 {
		h.Chain = append([]byte(nil), b[:comments.ChainSize]...)
	}
	b = b[comments.ChainSize:]
	number := func(into ...*int64) {
		for _, n := range into {
			*n = int64(binary.BigEndian.Uint64(b))
			b = b[8:]
		}
	}
	c, t := &h.Counts, &h.Queues
	number(&c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed)
	if h.plain {
		number(&t.Suspect)
		h.lastPage = binary.BigEndian.Uint32(b)
		return h, nil
	}
	h.lastPage = binary.BigEndian.Uint32(b)
	b = b[4:]
	number(&t.Suspect, &t.Reported, &t.Appeals, &t.Edited)
	return h, nil
}

// number is the number of a site, or comments.ErrUnknownSite.
func (tx *Tx) number(site string) (uint32, error) {
	if h, ok := tx.heads[site]; ok {
		return h.number, nil
	}
	key := []byte(site)
	record := tx.get(bucketHeads, key)
	if record == nil {
		return 0, fmt.Errorf("%q: %w", site, comments.ErrUnknownSite)
	}
	_, payload, err := open(bucketHeads, key, record)
	if err != nil {
		return 0, err
	}
	if len(payload) < 4 {
		return 0, damaged(bucketHeads, key, "it is no head")
	}
	return binary.BigEndian.Uint32(payload), nil
}

// head is the head of a site as this transaction has left it, or comments.ErrUnknownSite.
// Whoever changes it calls tx.wrote first; it is written when the transaction ends.
func (tx *Tx) head(site string) (*head, error) {
	if h, ok := tx.heads[site]; ok {
		return h, nil
	}
	key := []byte(site)
	record := tx.get(bucketHeads, key)
	if record == nil {
		return nil, fmt.Errorf("%q: %w", site, comments.ErrUnknownSite)
	}
	h, err := decodeHead(key, record)
	if err != nil {
		return nil, err
	}
	if tx.heads != nil {
		tx.heads[site] = &h
	}
	return &h, nil
}

// Head implements comments.Journal.
func (db *DB) Head(ctx context.Context, site string) (h comments.Head, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		found, err := tx.head(site)
		if err == nil {
			h = found.Head
		}
		return err
	})
	return h, err
}

// siteHead is head for a site proper: the installation is none.
func (tx *Tx) siteHead(site string) (*head, error) {
	if site == comments.Installation {
		return nil, fmt.Errorf("%q: %w", site, comments.ErrUnknownSite)
	}
	return tx.head(site)
}

// siteNumber is number for a site proper.
func (tx *Tx) siteNumber(site string) (uint32, error) {
	if site == comments.Installation {
		return 0, fmt.Errorf("%q: %w", site, comments.ErrUnknownSite)
	}
	return tx.number(site)
}

// orUnknown makes absence of a comment out of absence of its site: both are
// comments.ErrNotFound, and the caller asked for the comment.
func orUnknown(err error, id comments.ID) error {
	if errors.Is(err, comments.ErrUnknownSite) {
		return fmt.Errorf("comment %s: %w", id, err)
	}
	return err
}
