package boltstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"duyet/comments"
)

// How many standing comments each page got on each day of their writing:
//
//	days       site, day (4), canonical key       number; none where there are none
//
// so that the most discussed pages of a period are found by reading a line for each page
// and day, however many comments there are.
const (
	bucketDays Bucket = "days"
	formatDays Format = 1
)

// layDays makes the bucket and counts what stands.
func layDays(tx *Tx) error {
	if err := tx.AddBucket(bucketDays); err != nil {
		return err
	}
	heads, err := tx.allHeads()
	if err != nil {
		return err
	}
	sites := map[uint32]string{}
	for site, h := range heads {
		sites[h.number] = site
	}
	counts := map[string]int64{}
	for key := range tx.Keys(bucketComments, nil) {
		c, err := tx.commentAt(sites, key)
		if errors.Is(err, comments.ErrDamaged) {
			continue // check names it; nothing else is affected
		}
		if err != nil {
			return err
		}
		if c.Standing() {
			counts[string(dayKey(binary.BigEndian.Uint32(key), comments.DayOf(c.CreatedAt), c.Page))]++
		}
	}
	for key, n := range counts {
		tx.putDay([]byte(key), n)
	}
	return nil
}

func dayKey(site uint32, day comments.Day, page string) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 8+len(page)), site)
	return append(binary.BigEndian.AppendUint32(b, uint32(max(day, 0))), page...)
}

func (tx *Tx) putDay(key []byte, n int64) {
	if n <= 0 {
		tx.delete(bucketDays, key)
		return
	}
	tx.PutRecord(bucketDays, key, formatDays, binary.AppendUvarint(nil, uint64(n)))
}

func decodeDay(key, record []byte) (int64, error) {
	f, payload, err := open(bucketDays, key, record)
	if err != nil {
		return 0, err
	}
	d := decoder{s: string(payload)}
	n := int64(d.uint())
	if f != formatDays || !d.done() || n <= 0 || len(key) <= 8 {
		return 0, damaged(bucketDays, key, "it is no count of a day")
	}
	return n, nil
}

// countDay adds to what a page got on a comment's day.
func (tx *Tx) countDay(site uint32, c *comments.Comment, more int64) {
	tx.addToDay(dayKey(site, comments.DayOf(c.CreatedAt), c.Page), more)
}

// addToDay adds to a count. One that can't be read begins anew: check names it.
func (tx *Tx) addToDay(key []byte, more int64) {
	var n int64
	if record := tx.get(bucketDays, key); record != nil {
		n, _ = decodeDay(key, record)
	}
	tx.putDay(key, n+more)
}

// Discussed implements comments.ThreadReader.
func (db *DB) Discussed(ctx context.Context, site string, since comments.Day, limit int) (list []comments.Discussion, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		list = nil
		number, err := tx.siteNumber(site)
		if err != nil {
			return err
		}
		counts, err := tx.daysSince(number, since)
		if err != nil {
			return err
		}
		type counted struct {
			page string
			n    int64
		}
		var all []counted
		for page, n := range counts {
			all = append(all, counted{page, n})
		}
		slices.SortFunc(all, func(a, b counted) int {
			return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.page, b.page))
		})
		for _, one := range all[:min(len(all), max(limit, 0))] {
			p, err := tx.page(number, site, one.page)
			if err != nil {
				return err
			}
			list = append(list, comments.Discussion{Page: p.Page, Comments: one.n})
		}
		return nil
	})
	return list, err
}

func (tx *Tx) daysSince(number uint32, since comments.Day) (map[string]int64, error) {
	counts := map[string]int64{}
	prefix := siteKey(number)
	c := tx.bucket(bucketDays).Cursor()
	for k, v := c.Seek(dayKey(number, since, "")); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		n, err := decodeDay(k, v)
		if err != nil {
			return nil, err
		}
		counts[string(k[8:])] += n
	}
	return counts, nil
}

// checkDays holds the counts of days against what was counted of the comments.
func (c *checker) checkDays() error {
	err := c.each(bucketDays, func(k, v []byte) {
		s := c.site(bucketDays, k, 0)
		if s == nil {
			return
		}
		n, err := decodeDay(k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if counted := s.days[string(k)]; counted != n {
			c.problem(s.page(string(k[8:])), "it counts %d comments of day %d, there were %d", n, binary.BigEndian.Uint32(k[4:]), counted)
		}
		delete(s.days, string(k))
	})
	for _, s := range c.inOrder() {
		for k := range s.days {
			c.problem(s.page(k[8:]), "its comments of day %d are not counted", binary.BigEndian.Uint32([]byte(k[4:])))
		}
	}
	return err
}
