package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// aboutMoving is the note of a move that fills this file; see comments.Movable.
const aboutMoving = "moving"

// NounOf is a noun of comments.Movable: its records stand in the first of buckets, one a
// key, and read and put know their make.
func NounOf[T any](db *DB, name string, buckets []Bucket, read func(tx *Tx, k, v []byte) (T, error), put func(tx *Tx, record T) error) comments.Noun {
	n := comments.Noun{Name: name}
	for _, b := range buckets {
		n.Holds = append(n.Holds, string(b))
	}
	n.Read = func(ctx context.Context, after []byte, limit int) (crates []comments.Crate, err error) {
		err = db.View(ctx, func(tx *Tx) error {
			var records []T
			var places [][]byte
			c := tx.bucket(buckets[0]).Cursor()
			k, v := c.Seek(after)
			if bytes.Equal(k, after) && after != nil {
				k, v = c.Next()
			}
			for ; k != nil && len(records) < limit; k, v = c.Next() {
				r, err := read(tx, k, v)
				if err != nil {
					return err
				}
				records, places = append(records, r), append(places, bytes.Clone(k))
			}
			i := -1
			crates, err = comments.Collect(records, func(T) []byte { i++; return places[i] })
			return err
		})
		return crates, err
	}
	n.Write = func(ctx context.Context, crates []comments.Crate, note []byte) error {
		records, err := comments.Unpack[T](crates)
		if err != nil {
			return err
		}
		return db.Do(ctx, func(tx *Tx) error {
			for _, r := range records {
				if err := put(tx, r); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			tx.putAbout(aboutMoving, string(note))
			return nil
		})
	}
	return n
}

// Note implements comments.Movable.
func (db *DB) Note(ctx context.Context) (note []byte, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		text, err := tx.about(aboutMoving)
		if errors.Is(err, comments.ErrNotFound) {
			return nil
		}
		note = []byte(text)
		return err
	})
	return note, err
}

// PutNote implements comments.Movable.
func (db *DB) PutNote(ctx context.Context, note []byte) error {
	return db.Do(ctx, func(tx *Tx) error {
		if note == nil {
			tx.delete(bucketAbout, []byte(aboutMoving))
		} else {
			tx.putAbout(aboutMoving, string(note))
		}
		return nil
	})
}

// NotMoved says of the buckets that no noun answers for why they stay.
func NotMoved() map[string]string {
	return map[string]string{
		string(bucketAbout):   "says what this file is",
		string(bucketQueues):  "made from the comments",
		string(bucketThreads): "made from the comments",
		string(bucketDays):    "made from the comments",
		string(bucketIndexes): "made from the comments, beside serving",
		string(bucketTerms):   "made from the comments, beside serving",
		string(bucketAuthors): "made from the comments and the addresses",
		string(bucketCodes):   "made from the comments and the secret",
		string(bucketTrees):   "made from the comments",
		string(bucketReplies): "made from the comments",
		string(bucketLiked):   "made from the comments",
	}
}

// Nouns implements comments.Movable.
func (db *DB) Nouns() []comments.Noun {
	return []comments.Noun{
		NounOf(db, "sites", []Bucket{bucketSites}, readMovedSite, putMovedSite),
		NounOf(db, "pages", []Bucket{bucketPages}, readMovedPage, putMovedPage),
		NounOf(db, "comments", []Bucket{bucketComments}, readMovedComment, putMovedComment),
		NounOf(db, "revisions", []Bucket{bucketRevisions}, readMovedRevision, putMovedRevision),
		NounOf(db, "reports", []Bucket{bucketReports}, readMovedReport, putMovedReport),
		NounOf(db, "likes", []Bucket{bucketLikes}, readMovedLike, putMovedLike),
		NounOf(db, "events", []Bucket{bucketJournal, bucketDetails}, readMovedEvent, putMovedEvent),
		NounOf(db, "spent tickets", []Bucket{bucketSpent}, readMovedSpent, putMovedSpent),
		NounOf(db, "addresses", []Bucket{bucketAddresses}, readMovedAddress, putMovedAddress),
		NounOf(db, "aliases", []Bucket{bucketAliases}, readMovedAlias, putMovedAlias),
		NounOf(db, "visitors", []Bucket{bucketAudience}, readMovedPart, putMovedPart),
		NounOf(db, "views", []Bucket{bucketViews}, readMovedViews, putMovedViews),
		NounOf(db, "heads", []Bucket{bucketHeads}, readMovedHead, putMovedHead),
	}
}

// siteOf is the site whose number a key begins with.
func (tx *Tx) siteOf(b Bucket, key []byte) (string, error) {
	if len(key) < 4 {
		return "", damaged(b, key, "it is too short")
	}
	number := binary.BigEndian.Uint32(key)
	if tx.names == nil {
		heads, err := tx.allHeads()
		if err != nil {
			return "", err
		}
		tx.names = make(map[uint32]string, len(heads))
		for site, h := range heads {
			tx.names[h.number] = site
		}
	}
	site, ok := tx.names[number]
	if !ok {
		return "", damaged(b, key, "its site is missing")
	}
	return site, nil
}

func readMovedSite(_ *Tx, k, v []byte) (comments.Site, error) {
	s, _, err := decodeSite(k, v)
	return s, err
}

func putMovedSite(tx *Tx, s comments.Site) error {
	number, err := tx.nextSite()
	if err != nil {
		return err
	}
	if err := tx.putSite(number, s); err != nil {
		return err
	}
	tx.putAbout(aboutLastSite, strconv.FormatUint(uint64(number), 10))
	tx.heads[s.ID] = &head{number: number, dirty: true}
	return nil
}

func readMovedPage(tx *Tx, k, v []byte) (p comments.Page, err error) {
	site, err := tx.siteOf(bucketPages, k)
	if err != nil {
		return p, err
	}
	found, err := decodePage(site, k, v)
	if err != nil {
		return p, err
	}
	return found.Page, nil
}

// putMovedPage stores a page without its counts, which its comments bring.
func putMovedPage(tx *Tx, p comments.Page) error {
	if len(p.Key) > pageKeyMost {
		return fmt.Errorf("page key of %d bytes, of which a file holds %d: %w", len(p.Key), pageKeyMost, comments.ErrInvalid)
	}
	h, err := tx.siteHead(p.Site)
	if err != nil {
		return err
	}
	h.dirty = true
	tx.addPage(h, p)
	return nil
}

func readMovedComment(tx *Tx, k, v []byte) (m comments.MovedComment, err error) {
	site, err := tx.siteOf(bucketComments, k)
	if err != nil {
		return m, err
	}
	c, err := decodeComment(site, k, v, true)
	return comments.MovedComment{Comment: c.Comment, History: c.history}, err
}

func putMovedComment(tx *Tx, m comments.MovedComment) error {
	h, err := tx.siteHead(m.Comment.Site)
	if err != nil {
		return err
	}
	p, err := tx.page(h.number, m.Comment.Site, m.Comment.Page)
	if err != nil {
		return err
	}
	id := m.Comment.ID.UUID()
	key := commentKey(h.number, id)
	c := stored{Comment: m.Comment, history: m.History, body: appendBody(nil, m.Comment)}
	tx.put(bucketComments, key, c.record(key))
	tx.index(h, p, nil, &c.Comment, id)
	if tx.Has(bucketAbout, []byte(aboutCodes)) {
		tx.delete(bucketAbout, []byte(aboutCodes)) // they are to be filled again
	}
	h.dirty = true
	return nil
}

func readMovedRevision(tx *Tx, k, v []byte) (m comments.MovedRevision, err error) {
	if len(k) != commentSize+8 {
		return m, damaged(bucketRevisions, k, "it is no revision")
	}
	site, err := tx.siteOf(bucketRevisions, k)
	if err != nil {
		return m, err
	}
	m.Comment = makeID(site, uuid.UUID(k[4:commentSize]))
	m.Revision, err = decodeRevision(k, v)
	return m, err
}

func putMovedRevision(tx *Tx, m comments.MovedRevision) error {
	number, err := tx.siteNumber(m.Comment.Site())
	if err == nil {
		tx.putRevision(number, m.Comment.UUID(), m.Revision)
	}
	return err
}

func readMovedLike(tx *Tx, k, _ []byte) (m comments.MovedLike, err error) {
	if len(k) != commentSize+len(m.By) {
		return m, damaged(bucketLikes, k, "it is no like")
	}
	site, err := tx.siteOf(bucketLikes, k)
	if err != nil {
		return m, err
	}
	m.Comment = makeID(site, uuid.UUID(k[4:commentSize]))
	copy(m.By[:], k[commentSize:])
	return m, nil
}

func putMovedLike(tx *Tx, m comments.MovedLike) error {
	number, err := tx.siteNumber(m.Comment.Site())
	if err == nil {
		tx.put(bucketLikes, likeKey(number, m.Comment.UUID(), m.By), present)
	}
	return err
}

func readMovedEvent(tx *Tx, k, v []byte) (m comments.MovedEvent, err error) {
	site, err := tx.siteOf(bucketJournal, k)
	if err != nil {
		return m, err
	}
	if m.Event, err = decodeEvent(site, k, v); err != nil || m.Event.Detail == nil {
		return m, err
	}
	if tx.get(bucketDetails, k) != nil {
		detail, err := tx.detail(k)
		m.Detail = &detail
		return m, err
	}
	return m, nil
}

func putMovedEvent(tx *Tx, m comments.MovedEvent) error {
	h, err := tx.head(m.Event.Site)
	if err != nil {
		return err
	}
	key := eventKey(h.number, m.Event.Seq)
	tx.put(bucketJournal, key, eventRecord(key, m.Event))
	if m.Detail != nil {
		tx.put(bucketDetails, key, detailRecord(key, *m.Detail))
	}
	if m.Event.Seq > h.Seq {
		h.Seq, h.Chain, h.dirty = m.Event.Seq, m.Event.Chain, true
	}
	return nil
}

func readMovedSpent(tx *Tx, k, _ []byte) (m comments.MovedSpent, err error) {
	s, err := tx.spent(k)
	if err != nil {
		return m, err
	}
	if len(k) != 8+len(m.Ticket) {
		return m, damaged(bucketSpent, k, "it is no spent ticket")
	}
	copy(m.Ticket[:], k[8:])
	m.Expires = int64(binary.BigEndian.Uint64(k)) - comments.SpentFor.Milliseconds()
	m.Comment, m.Words = s.Comment, s.Words[:]
	return m, nil
}

func putMovedSpent(tx *Tx, m comments.MovedSpent) error {
	if len(m.Words) != 32 {
		return fmt.Errorf("spent ticket: %w", comments.ErrDamaged)
	}
	key := spentKey(m.Ticket, time.UnixMilli(m.Expires))
	tx.put(bucketSpent, key, spentRecord(key, m.Comment.Site(), m.Comment, [32]byte(m.Words)))
	return nil
}

func readMovedAddress(tx *Tx, k, v []byte) (m comments.MovedAddress, err error) {
	if len(k) != 8+commentSize {
		return m, damaged(bucketAddresses, k, "it is no address")
	}
	site, err := tx.siteOf(bucketAddresses, k[8:])
	if err != nil {
		return m, err
	}
	_, payload, err := open(bucketAddresses, k, v)
	if err != nil {
		return m, err
	}
	addr, ok := netip.AddrFromSlice(payload)
	if !ok {
		return m, damaged(bucketAddresses, k, "it is no address")
	}
	m.Comment = makeID(site, [16]byte(k[8+4:]))
	m.Author = comments.Author{Addr: addr, Expires: time.UnixMilli(int64(binary.BigEndian.Uint64(k))).UTC()}
	return m, nil
}

// putMovedAddress stores an address and lets its comment know under which expiry.
func putMovedAddress(tx *Tx, m comments.MovedAddress) error {
	site := m.Comment.Site()
	number, err := tx.siteNumber(site)
	if err != nil {
		return err
	}
	id := m.Comment.UUID()
	c, err := tx.comment(number, site, id, true)
	if err != nil {
		return err
	}
	c.addrExpires = m.Author.Expires
	key := commentKey(number, id)
	tx.put(bucketComments, key, c.record(key))
	tx.putAddress(number, id, m.Author)
	return nil
}

func readMovedHead(_ *Tx, k, v []byte) (comments.MovedHead, error) {
	h, err := decodeHead(k, v)
	return comments.MovedHead{Site: string(k), Head: h.Head}, err
}

// putMovedHead has nothing to do: comments and events have brought it all. What they have
// not, the tally at the end of the move finds.
func putMovedHead(tx *Tx, m comments.MovedHead) error {
	_, err := tx.head(m.Site)
	return err
}
