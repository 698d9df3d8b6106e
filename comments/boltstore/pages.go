package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"duyet/comments"
)

// Pages that have moved leave their key behind:
//
//	aliases    site, former key                   canonical key of the page now
const (
	bucketAliases Bucket = "aliases"
	formatAlias   Format = 1
)

func layAliases(tx *Tx) error { return tx.AddBucket(bucketAliases) }

// resolve is the key of a page by one that may be an alias.
func (tx *Tx) resolve(number uint32, key string) (string, error) {
	_, payload, err := tx.Record(bucketAliases, pageKey(number, key))
	if errors.Is(err, comments.ErrNotFound) {
		return key, nil
	}
	return string(payload), err
}

func (tx *Tx) putAlias(number uint32, from, to string) {
	tx.PutRecord(bucketAliases, pageKey(number, from), formatAlias, []byte(to))
}

// aliases are a site's, by former key.
func (tx *Tx) aliases(number uint32) (map[string]string, error) {
	all := map[string]string{}
	prefix := siteKey(number)
	c := tx.bucket(bucketAliases).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		_, payload, err := open(bucketAliases, k, v)
		if err != nil {
			return nil, err
		}
		all[string(k[4:])] = string(payload)
	}
	return all, nil
}

// Aliases implements comments.PageKeeper.
func (db *DB) Aliases(ctx context.Context, site string) (all map[string]string, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		number, err := tx.siteNumber(site)
		if err == nil {
			all, err = tx.aliases(number)
		}
		return err
	})
	return all, err
}

// TitlePage implements comments.PageKeeper.
func (db *DB) TitlePage(ctx context.Context, site, key, title, actor string) (p comments.Page, err error) {
	err = db.Do(ctx, func(tx *Tx) error {
		h, err := tx.siteHead(site)
		if err != nil {
			return err
		}
		if key, err = tx.resolve(h.number, key); err != nil {
			return err
		}
		found, err := tx.page(h.number, site, key)
		if err != nil {
			return err
		}
		found.Title = title
		tx.changed(found)
		tx.append(h, comments.Event{Site: site, Actor: actor, Kind: comments.KindPageTitled, Subject: key}, nil, nil)
		p = found.Page
		return nil
	})
	return p, err
}

// GatePage implements comments.PageKeeper.
func (db *DB) GatePage(ctx context.Context, site, key string, gate comments.Gate, actor string) (p comments.Page, err error) {
	err = db.Do(ctx, func(tx *Tx) error {
		h, err := tx.siteHead(site)
		if err != nil {
			return err
		}
		if key, err = tx.resolve(h.number, key); err != nil {
			return err
		}
		found, err := tx.page(h.number, site, key)
		if err != nil {
			return err
		}
		if found.Gate() != gate {
			gate.Set(&found.Page)
			tx.changed(found)
			tx.append(h, comments.Event{Site: site, Actor: actor, Kind: gate.Kind(), Subject: key}, nil, nil)
		}
		p = found.Page
		return nil
	})
	return p, err
}

// MovePage implements comments.PageKeeper. Which comments are the page's is looked up before
// the writer is taken; what has come meanwhile is found by the count.
func (db *DB) MovePage(ctx context.Context, m comments.PageMove) (p comments.Page, err error) {
	if m.From == m.To {
		return p, fmt.Errorf("page %s into itself: %w", m.From, comments.ErrConflict)
	}
	if len(m.To) > pageKeyMost {
		return p, fmt.Errorf("page key of %d bytes: %w", len(m.To), comments.ErrInvalid)
	}
	var ids []uuid.UUID
	if err := db.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.commentsOf(m.Site, m.From)
		return err
	}); err != nil {
		return p, err
	}
	err = db.Do(ctx, func(tx *Tx) error {
		h, err := tx.siteHead(m.Site)
		if err != nil {
			return err
		}
		move := pageMove{PageMove: m, tx: tx, h: h}
		if err := move.look(ids); err != nil {
			return err
		}
		p, err = move.write()
		return err
	})
	return p, err
}

// commentsOf are a page's, whatever their status. There is no index of those that readers
// don't see: all of the site's are looked at.
func (tx *Tx) commentsOf(site, page string) (ids []uuid.UUID, err error) {
	number, err := tx.siteNumber(site)
	if err != nil {
		return nil, err
	}
	prefix := siteKey(number)
	c := tx.bucket(bucketComments).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		found, err := decodeComment(site, k, v, false)
		if err != nil {
			return nil, err
		}
		if found.Page == page {
			ids = append(ids, uuid.UUID(k[4:]))
		}
	}
	return ids, nil
}

// pageMove is a move under way: what it reads comes first, then what can't fail.
type pageMove struct {
	comments.PageMove
	tx       *Tx
	h        *head
	from, to *page // to is nil for a new key
	aliases  map[string]string
	comments []stored
	entries  []entry  // of the thread and its trees, in the order of their keys
	views    [2]int64 // of from and to
}

// entry is a record, or an entry of an index, on its way to another key.
type entry struct {
	bucket  Bucket
	key     []byte
	format  Format // 0 for an index
	payload []byte
}

// entriesOf are those under a page's number.
func (tx *Tx) entriesOf(site, page uint32) (all []entry, err error) {
	prefix := threadPrefix(site, page)
	for _, b := range []Bucket{bucketThreads, bucketTrees, bucketLiked} {
		c := tx.bucket(b).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			e := entry{bucket: b, key: bytes.Clone(k)}
			if len(v) > 0 {
				var payload []byte
				if e.format, payload, err = open(b, k, v); err != nil {
					return nil, err
				}
				e.payload = bytes.Clone(payload)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

func (m *pageMove) look(ids []uuid.UUID) (err error) {
	tx, number := m.tx, m.h.number
	if m.aliases, err = tx.aliases(number); err != nil {
		return err
	}
	if m.from, err = tx.page(number, m.Site, m.From); err != nil {
		return fmt.Errorf("page %s: %w", m.From, err)
	}
	if target, moved := m.aliases[m.To]; moved && m.Merge {
		m.To = target
	} else if moved && target != m.From {
		return fmt.Errorf("page %s stands at %s: %w", m.To, target, comments.ErrExists)
	}
	if m.To == m.From {
		return fmt.Errorf("page %s into itself: %w", m.From, comments.ErrConflict)
	}
	m.to, err = tx.page(number, m.Site, m.To)
	switch {
	case errors.Is(err, comments.ErrNotFound) && !m.Merge:
		m.to = nil
	case err != nil:
		return fmt.Errorf("page %s: %w", m.To, err)
	case !m.Merge:
		return fmt.Errorf("page %s: %w", m.To, comments.ErrExists)
	}
	if int64(len(ids)) != m.from.Counts.Total() {
		if ids, err = tx.commentsOf(m.Site, m.From); err != nil {
			return err
		}
	}
	for _, id := range ids {
		c, err := tx.comment(number, m.Site, id, true)
		if err != nil {
			return err
		}
		if c.Page == m.From {
			m.comments = append(m.comments, c)
		}
	}
	if m.to != nil {
		if m.entries, err = tx.entriesOf(number, m.from.number); err != nil {
			return err
		}
	}
	for i, key := range []string{m.From, m.To} {
		if m.views[i], err = tx.views(pageKey(number, key)); err != nil {
			return err
		}
	}
	return nil
}

func (m *pageMove) write() (comments.Page, error) {
	tx, number := m.tx, m.h.number
	tx.wrote()
	if m.to == nil {
		moved := *m.from
		moved.Key, moved.URL = m.To, m.URL
		m.to = &moved // under the same number, so that its thread stays where it is
	} else {
		m.merge()
	}
	delete(tx.pages, string(pageKey(number, m.From)))
	tx.delete(bucketPages, pageKey(number, m.From))
	tx.changed(m.to)
	tx.pages[string(pageKey(number, m.To))] = m.to
	m.rewrite()
	if n := m.views[0] + m.views[1]; n > 0 {
		tx.delete(bucketViews, pageKey(number, m.From))
		tx.PutRecord(bucketViews, pageKey(number, m.To), formatViews, binary.AppendUvarint(nil, uint64(n)))
	}
	tx.delete(bucketAliases, pageKey(number, m.To))
	for former, target := range m.aliases {
		if target == m.From && former != m.To {
			tx.putAlias(number, former, m.To)
		}
	}
	tx.putAlias(number, m.From, m.To)
	tx.append(m.h, comments.Event{Site: m.Site, Actor: m.Actor, Kind: m.Kind(), Subject: m.Subject()}, nil, nil)
	return m.to.Page, nil
}

// merge takes counts and thread into the page that stands.
func (m *pageMove) merge() {
	for _, s := range comments.Statuses {
		for range m.from.Counts.Of(s) {
			m.to.Counts.Move("", s)
		}
	}
	m.to.Standing += m.from.Standing
	// One after the other by their keys: bbolt moves whatever stands in a leaf behind a key
	// that is put there, and a leaf grows until the commit.
	prefix := threadPrefix(m.h.number, m.to.number)
	for _, e := range m.entries {
		m.tx.delete(e.bucket, e.key)
		key := append(bytes.Clone(prefix), e.key[len(prefix):]...)
		if e.format == 0 {
			m.tx.put(e.bucket, key, present)
		} else {
			m.tx.PutRecord(e.bucket, key, e.format, e.payload)
		}
	}
}

// rewrite names the page anew in its comments' records, and counts them for it.
func (m *pageMove) rewrite() {
	days := map[comments.Day]int64{}
	for i := range m.comments {
		c := &m.comments[i]
		if c.Standing() {
			days[comments.DayOf(c.CreatedAt)]++
		}
		c.Page = m.To
		c.body = appendBody(nil, c.Comment)
		key := commentKey(m.h.number, c.ID.UUID())
		m.tx.put(bucketComments, key, c.record(key))
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		m.tx.addToDay(dayKey(m.h.number, day, m.From), -days[day])
		m.tx.addToDay(dayKey(m.h.number, day, m.To), days[day])
	}
}

// checkAliases: each leads to a page, and is none.
func (c *checker) checkAliases() error {
	return c.each(bucketAliases, func(k, v []byte) {
		s := c.site(bucketAliases, k, 0)
		if s == nil {
			return
		}
		_, payload, err := open(bucketAliases, k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if s.pages[string(payload)] == nil {
			c.problem(s.page(string(k[4:])), "it moved to %s, which does not exist", payload)
		}
		if s.pages[string(k[4:])] != nil {
			c.problem(s.page(string(k[4:])), "it moved to %s, and stands here as well", payload)
		}
	})
}

// movedAlias is an alias as it is moved to another store.
func readMovedAlias(tx *Tx, k, v []byte) (m comments.MovedAlias, err error) {
	if m.Site, err = tx.siteOf(bucketAliases, k); err != nil {
		return m, err
	}
	_, payload, err := open(bucketAliases, k, v)
	m.From, m.To = string(k[4:]), string(payload)
	return m, err
}

func putMovedAlias(tx *Tx, m comments.MovedAlias) error {
	number, err := tx.siteNumber(m.Site)
	if err == nil {
		tx.putAlias(number, m.From, m.To)
	}
	return err
}
