package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"duyet/comments"
	"duyet/comments/audience"
)

// Counts of views and visitors. They ride in the same group commit as comments, once a
// second, and stand in buckets of their own, of which nothing else depends:
//
//	audience   site, part (1), day (4)    a part of audience.Kept; days of sketches alone
//	views      site, canonical key        views of a page
//
// Sketches of days gone by go with the first write of a later day.

const (
	bucketAudience Bucket = "audience"
	bucketViews    Bucket = "views"

	formatAudience Format = 1
	formatViews    Format = 1

	partSummary byte = 'a'
	partSlots   byte = 'o'
	partSketch  byte = 's'
)

// The whole contract, in one type.
var _ audience.Store = (*DB)(nil)

// layAudience makes the buckets of views and visitors.
func layAudience(tx *Tx) error {
	return errors.Join(tx.AddBucket(bucketAudience), tx.AddBucket(bucketViews))
}

func partKey(site uint32, part byte) []byte {
	return append(siteKey(site), part, 0, 0, 0, 0)
}

// sketchKey sorts by day; days before 1970 don't come up.
func sketchKey(site uint32, day audience.Day) []byte {
	return binary.BigEndian.AppendUint32(append(siteKey(site), partSketch), uint32(day))
}

// part is one part of what is kept, nil when there is none yet.
func (tx *Tx) part(key []byte) ([]byte, error) {
	_, payload, err := tx.Record(bucketAudience, key)
	if errors.Is(err, comments.ErrNotFound) {
		return nil, nil
	}
	return payload, err
}

func (tx *Tx) kept(site uint32, day audience.Day) (k audience.Kept, err error) {
	for key, into := range map[string]*[]byte{
		string(partKey(site, partSummary)): &k.Summary,
		string(partKey(site, partSlots)):   &k.Slots,
		string(sketchKey(site, day)):       &k.Sketch,
	} {
		part, err := tx.part([]byte(key))
		if err != nil {
			return k, err
		}
		*into = part
	}
	return k, nil
}

// putPart writes a part that is not what it was.
func (tx *Tx) putPart(key, before, now []byte) {
	if now != nil && !bytes.Equal(before, now) {
		tx.PutRecord(bucketAudience, key, formatAudience, now)
	}
}

// LoadAudience implements audience.Store.
func (db *DB) LoadAudience(ctx context.Context, site string, day audience.Day, proposed audience.Salts) (state audience.State, err error) {
	open := func(tx *Tx) (number uint32, before audience.Kept, changed bool, err error) {
		if number, err = tx.siteNumber(site); err != nil {
			return number, before, false, err
		}
		if before, err = tx.kept(number, day); err != nil {
			return number, before, false, err
		}
		state.Kept = before
		state.Salts, changed, err = state.Open(day, proposed)
		return number, before, changed, err
	}
	// Reading is enough but for the first time a day.
	var changed bool
	err = db.View(ctx, func(tx *Tx) (err error) {
		_, _, changed, err = open(tx)
		return err
	})
	if err == nil && changed {
		err = db.Do(ctx, func(tx *Tx) error {
			number, before, changed, err := open(tx)
			if err == nil && changed {
				tx.putPart(partKey(number, partSummary), before.Summary, state.Summary)
			}
			return err
		})
	}
	if err != nil {
		return audience.State{}, err
	}
	return state, nil
}

// flushing is what a flush has read and made of it, not yet written.
type flushing struct {
	tx    *Tx
	sites map[uint32]*[2]audience.Kept // before and now; without sketches
	days  map[dayOfSite]*[2][]byte     // sketches before and now
	views map[string]int64             // by key of bucketViews
}

type dayOfSite struct {
	number uint32
	day    audience.Day
}

// FlushAudience implements audience.Store. What was counted for a site that is gone goes
// with it.
func (db *DB) FlushAudience(ctx context.Context, deltas []audience.Delta) error {
	return db.Do(ctx, func(tx *Tx) error {
		f := flushing{tx, map[uint32]*[2]audience.Kept{}, map[dayOfSite]*[2][]byte{}, map[string]int64{}}
		for _, d := range deltas {
			number, err := tx.siteNumber(d.Site)
			if errors.Is(err, comments.ErrUnknownSite) {
				continue
			}
			if err == nil {
				err = f.count(number, d)
			}
			if err != nil {
				return err
			}
		}
		f.write()
		return nil
	})
}

// count merges a delta into what is kept.
func (f *flushing) count(number uint32, d audience.Delta) error {
	at := dayOfSite{number, d.Day}
	if f.sites[number] == nil || f.days[at] == nil {
		stands, err := f.tx.kept(number, d.Day)
		if err != nil {
			return err
		}
		f.days[at] = &[2][]byte{stands.Sketch, stands.Sketch}
		if stands.Sketch = nil; f.sites[number] == nil {
			f.sites[number] = &[2]audience.Kept{stands, stands}
		}
	}
	merged := f.sites[number][1]
	merged.Sketch = f.days[at][1]
	if err := merged.Merge(d); err != nil {
		return err
	}
	f.days[at][1] = merged.Sketch
	merged.Sketch = nil
	f.sites[number][1] = merged
	return f.addViews(number, d.Pages)
}

func (f *flushing) addViews(number uint32, pages map[string]int64) error {
	for page, n := range pages {
		page, err := f.tx.resolve(number, page)
		if err != nil {
			return err
		}
		key := pageKey(number, page)
		if _, read := f.views[string(key)]; !read {
			stored, err := f.tx.views(key)
			if err != nil {
				return err
			}
			f.views[string(key)] = stored
		}
		f.views[string(key)] += n
	}
	return nil
}

// write can't fail.
func (f *flushing) write() {
	for number, kept := range f.sites {
		f.tx.putPart(partKey(number, partSummary), kept[0].Summary, kept[1].Summary)
		f.tx.putPart(partKey(number, partSlots), kept[0].Slots, kept[1].Slots)
	}
	for at, sketch := range f.days {
		f.tx.putPart(sketchKey(at.number, at.day), sketch[0], sketch[1])
		f.tx.forgetSketches(at.number, at.day-1)
	}
	for key, n := range f.views {
		f.tx.PutRecord(bucketViews, []byte(key), formatViews, binary.AppendUvarint(nil, uint64(n)))
	}
}

// forgetSketches removes the sketches of days before one.
func (tx *Tx) forgetSketches(number uint32, day audience.Day) {
	if day <= 0 {
		return
	}
	end := sketchKey(number, day)
	var old [][]byte
	for k := range tx.Keys(bucketAudience, end[:5]) {
		if bytes.Compare(k, end) >= 0 {
			break
		}
		old = append(old, k)
	}
	for _, k := range old {
		tx.Delete(bucketAudience, k)
	}
}

// views are those of a page by its key in bucketViews.
func (tx *Tx) views(key []byte) (int64, error) {
	record := tx.get(bucketViews, key)
	if record == nil {
		return 0, nil
	}
	return decodeViews(key, record)
}

func decodeViews(key, record []byte) (int64, error) {
	f, payload, err := open(bucketViews, key, record)
	if err != nil {
		return 0, err
	}
	d := decoder{s: string(payload)}
	n := int64(d.uint())
	if f != formatViews || !d.done() || n < 0 {
		return 0, damaged(bucketViews, key, "it is no number of views")
	}
	return n, nil
}

// PageViews implements audience.Store.
func (db *DB) PageViews(ctx context.Context, site string, pages []string) (views []int64, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		views = make([]int64, len(pages))
		number, err := tx.siteNumber(site)
		if errors.Is(err, comments.ErrUnknownSite) {
			return nil
		}
		for i, p := range pages {
			if err != nil {
				return err
			}
			if p, err = tx.resolve(number, p); err == nil {
				views[i], err = tx.views(pageKey(number, p))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("page views: %w", err)
	}
	return views, nil
}

// checkAudience holds each count against the site it is of.
func (c *checker) checkAudience() error {
	err := c.each(bucketAudience, func(k, v []byte) {
		if c.site(bucketAudience, k, 9) == nil {
			return
		}
		if _, _, err := open(bucketAudience, k, v); err != nil {
			c.damaged(err)
		}
	})
	if err != nil {
		return err
	}
	return c.each(bucketViews, func(k, v []byte) {
		if c.site(bucketViews, k, 0) == nil {
			return
		}
		if _, err := decodeViews(k, v); err != nil {
			c.damaged(err)
		}
	})
}
