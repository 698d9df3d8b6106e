package boltstore

import (
	"context"
	"encoding/binary"
	"fmt"

	"duyet/comments"
)

// Formats of a page: before edited comments were counted, and since.
const (
	formatPagePlain Format = 1
	formatPage      Format = 2
)

// What a moderator has set a page to, as bits.
const (
	gateClosed = 1 << iota
	gateHeld
)

// page is a page with its number, under which the index of its thread stands.
type page struct {
	comments.Page
	number uint32
	dirty  bool
}

// record has the number first, in 4 bytes, so that a thread is found without reading the
// rest.
func (p *page) record(key []byte) []byte {
	b := newRecord(64 + len(p.URL) + len(p.Title))
	b = binary.BigEndian.AppendUint32(b, p.number)
	gate := byte(0)
	if p.Closed {
		gate |= gateClosed
	}
	if p.Held {
		gate |= gateHeld
	}
	b = append(b, gate)
	for _, s := range comments.Statuses {
		b = binary.AppendUvarint(b, uint64(p.Counts.Of(s)))
	}
	b = appendTime(b, p.CreatedAt)
	url := byte(0)
	if p.URL == p.Key {
		url = 1
	}
	b = append(b, url) // a URL is nearly always the key itself
	if url == 0 {
		b = appendText(b, p.URL)
	}
	b = appendText(b, p.Title)
	b = binary.AppendUvarint(b, uint64(p.edited()))
	return seal(formatPage, key, b)
}

// edited is how many of its comments are pending while their earlier words stand.
func (p *page) edited() int64 { return p.Standing - p.Counts.Approved }

func decodePage(site string, key, record []byte) (*page, error) {
	f, payload, err := open(bucketPages, key, record)
	if err != nil {
		return nil, err
	}
	if f != formatPage && f != formatPagePlain || len(payload) < 4 || len(key) < 4 {
		return nil, damaged(bucketPages, key, "it is no page")
	}
	p := &page{number: binary.BigEndian.Uint32(payload)}
	p.Site, p.Key = site, string(key[4:])
	d := decoder{s: string(payload[4:])}
	gate := d.byte()
	p.Closed, p.Held = gate&gateClosed != 0, gate&gateHeld != 0
	c := &p.Counts
	for _, n := range []*int64{&c.Pending, &c.Approved, &c.Rejected, &c.Spam, &c.Trashed} {
		*n = int64(d.uint())
	}
	p.CreatedAt = d.time()
	if d.byte() == 1 {
		p.URL = p.Key
	} else {
		p.URL = d.text()
	}
	p.Title = d.text()
	p.Standing = p.Counts.Approved
	if f == formatPage {
		p.Standing += int64(d.uint())
	}
	if !d.done() {
		return nil, damaged(bucketPages, key, "it is no page")
	}
	return p, nil
}

// page is a page as this transaction has left it, or comments.ErrNotFound. Whoever
// changes it calls tx.changed.
func (tx *Tx) page(number uint32, site, key string) (*page, error) {
	k := pageKey(number, key)
	if p, ok := tx.pages[string(k)]; ok {
		return p, nil
	}
	record := tx.get(bucketPages, k)
	if record == nil {
		return nil, fmt.Errorf("page: %w", comments.ErrNotFound)
	}
	p, err := decodePage(site, k, record)
	if err == nil && tx.pages != nil {
		tx.pages[string(k)] = p
	}
	return p, err
}

// changed notes that a page differs from what is stored.
func (tx *Tx) changed(p *page) {
	tx.wrote()
	p.dirty = true
}

// addPage gives a new page the next number of its site.
func (tx *Tx) addPage(h *head, p comments.Page) *page {
	h.lastPage++
	added := &page{Page: p, number: h.lastPage}
	added.Counts, added.Standing = comments.Counts{}, 0
	tx.changed(added)
	tx.pages[string(pageKey(h.number, p.Key))] = added
	return added
}

// Page implements comments.ThreadReader.
func (db *DB) Page(ctx context.Context, site, key string) (p comments.Page, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		if key, err = tx.resolve(number, key); err != nil {
			return err
		}
		found, err := tx.page(number, site, key)
		if err == nil {
			p = found.Page
		}
		return err
	})
	return p, err
}
