package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/uuid"

	"duyet/comments"
)

// wrote is the prefix under which what somebody wrote is listed, and whether a comment
// belongs there. Where an address has led to the comment, its record knows no better.
func wrote(number uint32, by comments.Wrote) ([]byte, func(*comments.Comment) bool) {
	if !by.Author.IsZero() {
		return authorPrefix(number, byKey, by.Author), func(c *comments.Comment) bool { return c.Author == by.Author }
	}
	return authorPrefix(number, byNetwork, comments.NetworkKey(by.Addr)), func(*comments.Comment) bool { return true }
}

// Written implements comments.AuthorReader.
func (db *DB) Written(ctx context.Context, by comments.Wrote, after comments.ID, limit int) (list []comments.Comment, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(by.Site)
		if err != nil || by.Author.IsZero() && !by.Addr.IsValid() {
			return err
		}
		prefix, belongs := wrote(number, by)
		list, err = tx.listed(place{index: bucketAuthors, prefix: prefix, newest: true, after: after}, limit, number, by.Site, belongs)
		return err
	})
	return list, err
}

// WrittenCounts implements comments.AuthorReader.
func (db *DB) WrittenCounts(ctx context.Context, by comments.Wrote) (n comments.Counts, err error) {
	list, err := db.Written(ctx, by, "", comments.WrittenCounted)
	for _, c := range list {
		n.Move("", c.Status)
	}
	return n, err
}

// Origin implements comments.AuthorReader.
func (db *DB) Origin(ctx context.Context, id comments.ID) (a comments.Author, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		site := id.Site()
		number, err := tx.siteNumber(site)
		if err != nil {
			return orUnknown(err, id)
		}
		c, err := tx.comment(number, site, id.UUID(), false)
		if err != nil {
			return err
		}
		key := addressKey(c.addrExpires, number, id.UUID())
		record := tx.get(bucketAddresses, key)
		if c.addrExpires.IsZero() || record == nil {
			return fmt.Errorf("origin of comment %s: %w", id, comments.ErrNotFound)
		}
		addr, err := decodeAddress(key, record)
		a = comments.Author{Addr: addr, Expires: c.addrExpires}
		return err
	})
	return a, err
}

func decodeAddress(key, record []byte) (netip.Addr, error) {
	f, payload, err := open(bucketAddresses, key, record)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, ok := netip.AddrFromSlice(payload)
	if f != formatAddress || !ok || len(key) != 8+commentSize {
		return netip.Addr{}, damaged(bucketAddresses, key, "it is no address")
	}
	return addr, nil
}

// putAddress stores where a comment came from, and lists it by network.
func (tx *Tx) putAddress(number uint32, id uuid.UUID, a comments.Author) {
	key := addressKey(a.Expires, number, id)
	tx.put(bucketAddresses, key, addressRecord(key, a))
	tx.put(bucketAuthors, authorEntry(number, byNetwork, comments.NetworkKey(a.Addr), id), present)
}

// forgetAddress removes an address with its place in the list. One that can't be read
// leaves its place, which check names.
func (tx *Tx) forgetAddress(key []byte) {
	addr, err := decodeAddress(key, tx.get(bucketAddresses, key))
	if err == nil {
		tx.delete(bucketAuthors, authorEntry(binary.BigEndian.Uint32(key[8:]), byNetwork, comments.NetworkKey(addr), uuid.UUID(key[12:])))
	}
	tx.delete(bucketAddresses, key)
}

const formatReport Format = 1

func reportRecord(key []byte, r comments.Report) []byte {
	b := newRecord(32 + len(r.Text))
	closed := byte(0)
	if r.Closed {
		closed = 1
	}
	b = appendTime(append(b, closed), r.At)
	return seal(formatReport, key, appendText(appendText(b, r.Reason), r.Text))
}

func decodeReport(site string, key, record []byte) (r comments.Report, err error) {
	f, payload, err := open(bucketReports, key, record)
	if err != nil {
		return r, err
	}
	d := decoder{s: string(payload)}
	closed := d.byte()
	r.Closed, r.At, r.Reason, r.Text = closed == 1, d.time(), d.text(), d.text()
	if f != formatReport || len(key) != commentSize+len(r.Reader) || closed > 1 || !d.done() {
		return comments.Report{}, damaged(bucketReports, key, "it is no report")
	}
	r.Comment = makeID(site, uuid.UUID(key[4:commentSize]))
	copy(r.Reader[:], key[commentSize:])
	return r, nil
}

// Report implements comments.Reporter.
func (db *DB) Report(ctx context.Context, r comments.Report) (c comments.Comment, err error) {
	r.At, r.Closed = milli(r.At), false
	err = db.Do(ctx, func(tx *Tx) error {
		at, err := tx.stand(r.Comment)
		if err != nil {
			return err
		}
		if !at.Standing() {
			return fmt.Errorf("comment %s is not in public: %w", r.Comment, comments.ErrNotFound)
		}
		key := reportKey(at.head.number, at.uuid, r.Reader)
		if tx.get(bucketReports, key) != nil {
			return fmt.Errorf("report of comment %s: %w", r.Comment, comments.ErrExists)
		}
		if r.Pays.ID != (comments.TicketID{}) {
			ticket := spentKey(r.Pays.ID, r.Pays.Expires)
			if tx.get(bucketSpent, ticket) != nil {
				return comments.ErrTicketSpent
			}
			tx.put(bucketSpent, ticket, spentRecord(ticket, r.Comment.Site(), r.Comment, r.Pays.Words))
		}
		tx.put(bucketReports, key, reportRecord(key, r))
		next := at.Comment
		next.Reports++
		c = tx.become(at, next, comments.ActorReader, &comments.Step{Kind: comments.KindReported, Aside: true, Reason: r.Reason})
		return nil
	})
	if err != nil {
		return comments.Comment{}, err
	}
	return c, nil
}

// reports are a comment's, in order of their readers.
func (tx *Tx) reports(number uint32, site string, id uuid.UUID) (list []comments.Report, err error) {
	for key := range tx.Keys(bucketReports, commentKey(number, id)) {
		r, err := decodeReport(site, key, tx.get(bucketReports, key))
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// closeReports closes those that are open. One that can't be read stays as it is.
func (tx *Tx) closeReports(number uint32, site string, id uuid.UUID) {
	var open []comments.Report
	for key := range tx.Keys(bucketReports, commentKey(number, id)) {
		if r, err := decodeReport(site, key, tx.get(bucketReports, key)); err == nil && !r.Closed {
			open = append(open, r)
		}
	}
	for _, r := range open {
		r.Closed = true
		key := reportKey(number, id, r.Reader)
		tx.put(bucketReports, key, reportRecord(key, r))
	}
}

// Reports implements comments.Reporter.
func (db *DB) Reports(ctx context.Context, id comments.ID) (list []comments.Report, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(id.Site())
		if errors.Is(err, comments.ErrUnknownSite) {
			return nil
		}
		if err == nil {
			list, err = tx.reports(number, id.Site(), id.UUID())
		}
		return err
	})
	comments.SortReports(list)
	return list, err
}

// keepAuthorsAndReports makes version 6.
func keepAuthorsAndReports(tx *Tx) error {
	for _, b := range []Bucket{bucketAuthors, bucketReports} {
		if err := tx.AddBucket(b); err != nil {
			return err
		}
	}
	for key := range tx.Keys(bucketAddresses, nil) {
		if addr, err := decodeAddress(key, tx.get(bucketAddresses, key)); err == nil {
			tx.put(bucketAuthors, authorEntry(binary.BigEndian.Uint32(key[8:]), byNetwork, comments.NetworkKey(addr), uuid.UUID(key[12:])), present)
		}
	}
	for key := range tx.Keys(bucketComments, nil) {
		c, err := decodeComment("", key, tx.get(bucketComments, key), false)
		if err == nil && !c.Author.IsZero() {
			tx.put(bucketAuthors, authorEntry(binary.BigEndian.Uint32(key), byKey, c.Author, uuid.UUID(key[4:])), present)
		}
	}
	return nil
}

// checkAuthors holds what is listed by author and network against comments and addresses;
// the way back is looked at with those.
func (c *checker) checkAuthors() error {
	return c.each(bucketAuthors, func(k, _ []byte) {
		s := c.site(bucketAuthors, k, authorPrefixSize+uuidSize)
		if s == nil {
			return
		}
		id, who := uuid.UUID(k[authorPrefixSize:]), [16]byte(k[5:authorPrefixSize])
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		if errors.Is(err, comments.ErrNotFound) {
			c.problem(s.comment(id), "it does not exist, but the list of an author has it")
			return
		}
		if err != nil {
			return // reported with the comments
		}
		belongs := false
		switch k[4] {
		case byKey:
			belongs = comment.Author == who
		case byNetwork:
			key := addressKey(comment.addrExpires, s.head.number, id)
			if record := c.tx.get(bucketAddresses, key); record != nil && !comment.addrExpires.IsZero() {
				addr, err := decodeAddress(key, record)
				belongs = err != nil || comments.NetworkKey(addr) == who
			}
		}
		if !belongs {
			c.problem(s.comment(id), "the list of another author or network has it")
		}
	})
}

// checkReports counts what is open. Comments have been looked at before.
func (c *checker) checkReports() error {
	return c.each(bucketReports, func(k, v []byte) {
		s := c.site(bucketReports, k, commentSize+16)
		if s == nil {
			return
		}
		r, err := decodeReport(s.id, k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if !c.tx.Has(bucketComments, k[:commentSize]) {
			c.problem("report of comment "+string(r.Comment), "the comment does not exist")
		}
	})
}

// readMovedReport and putMovedReport are for comments.Movable. Comments bring the count.
func readMovedReport(tx *Tx, k, v []byte) (comments.Report, error) {
	site, err := tx.siteOf(bucketReports, k)
	if err != nil {
		return comments.Report{}, err
	}
	return decodeReport(site, k, v)
}

func putMovedReport(tx *Tx, r comments.Report) error {
	number, err := tx.siteNumber(r.Comment.Site())
	if err == nil {
		key := reportKey(number, r.Comment.UUID(), r.Reader)
		tx.put(bucketReports, key, reportRecord(key, r))
	}
	return err
}
