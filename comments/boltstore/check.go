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

// Problem is something in the file that does not fit: which record, and what about it.
type Problem struct {
	Record string // "comment news~0197…", "page https://… of site news", "event 12 of site news"
	What   string
}

func (p Problem) String() string { return p.Record + ": " + p.What }

// Check recounts everything that is counted and holds every index against what it lists,
// both ways, every record against its checksum, every journal against its chain. It sees
// one moment and runs beside readers and writers. report is told of each problem;
// progress, if not nil, of the share done. The error is the context's or
// comments.ErrUnavailable: problems are no errors.
func (db *DB) Check(ctx context.Context, progress func(done, total int64), report func(Problem)) error {
	return db.View(ctx, func(tx *Tx) error {
		c := &checker{ctx: ctx, tx: tx, key: db.key, tell: progress, report: report, heads: map[string]head{}, sites: map[uint32]*siteCheck{}}
		for _, step := range []func() error{
			c.checkSites, c.checkPages, c.checkComments, c.checkRevisions, c.checkReports, c.checkAuthors, c.checkCodes, c.checkQueues, c.checkThreads,
			c.checkTrees, c.checkReplies, c.checkLiked, c.checkLikes,
			c.checkJournals, c.checkDetails, c.checkSpent, c.checkAddresses, c.checkAudience, c.checkDays, c.checkAliases, c.checkCounts,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

type checker struct {
	ctx         context.Context
	tx          *Tx
	key         []byte
	tell        func(done, total int64)
	report      func(Problem)
	done, total int64
	heads       map[string]head
	sites       map[uint32]*siteCheck
}

// siteCheck is what was counted of a site.
type siteCheck struct {
	id      string
	head    head
	counts  comments.Counts
	tally   comments.QueueCounts
	pages   map[string]*pageCheck
	numbers map[uint32]string // page key by number
	days    map[string]int64  // by key of bucketDays
	trees   map[string]int64  // standing comments by key of bucketTrees
	likes   map[uuid.UUID]int64
	events  int64 // of comments' histories
}

type pageCheck struct {
	number        uint32
	says, counted pageCounts
}

type pageCounts struct {
	comments.Counts
	standing int64
}

func (c *checker) problem(record, what string, args ...any) {
	c.report(Problem{Record: record, What: fmt.Sprintf(what, args...)})
}

// damaged reports an error of decoding a record.
func (c *checker) damaged(err error) {
	c.problem("record", "%v", err)
}

// each visits all of a bucket, in order.
func (c *checker) each(b Bucket, visit func(k, v []byte)) error {
	cursor := c.tx.bucket(b).Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		if c.done++; c.done%1024 == 0 {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if c.tell != nil {
				c.tell(min(c.done, c.total), c.total)
			}
		}
		visit(k, v)
	}
	return nil
}

// site is the site of a key that begins with its number; a number of none is a problem.
func (c *checker) site(b Bucket, k []byte, size int) *siteCheck {
	if size > 0 && len(k) != size || len(k) < 4 {
		c.problem(fmt.Sprintf("%s record %x", b, k), "its key has a wrong length")
		return nil
	}
	s := c.sites[binary.BigEndian.Uint32(k)]
	if s == nil {
		c.problem(fmt.Sprintf("%s record %x", b, k), "it belongs to a site that does not exist")
	}
	return s
}

func (s *siteCheck) comment(id uuid.UUID) string {
	return "comment " + string(comments.MakeID(s.id, id))
}

func (s *siteCheck) page(key string) string { return fmt.Sprintf("page %s of site %s", key, s.id) }

func (s *siteCheck) event(seq uint64) string { return fmt.Sprintf("event %d of site %s", seq, s.id) }

func (c *checker) checkSites() error {
	err := c.each(bucketHeads, func(k, v []byte) {
		h, err := decodeHead(k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		s := &siteCheck{id: string(k), head: h, pages: map[string]*pageCheck{}, numbers: map[uint32]string{}, days: map[string]int64{},
			trees: map[string]int64{}, likes: map[uuid.UUID]int64{}}
		if other := c.sites[h.number]; other != nil {
			c.problem("site "+s.id, "it has the number of site %s", other.id)
			return
		}
		c.sites[h.number], c.heads[s.id] = s, h
		// A comment has its record, about five index entries, a ticket and an address.
		c.total += int64(h.Seq) + 8*h.Counts.Total()
	})
	if err != nil {
		return err
	}
	for id := range c.heads {
		if id != comments.Installation && !c.tx.Has(bucketSites, []byte(id)) {
			c.problem("site "+id, "it has a journal but no record")
		}
	}
	return c.each(bucketSites, func(k, v []byte) {
		site, number, err := decodeSite(k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if h, ok := c.heads[site.ID]; !ok || h.number != number {
			c.problem("site "+site.ID, "its journal is missing or another's")
		}
	})
}

func (c *checker) checkPages() error {
	return c.each(bucketPages, func(k, v []byte) {
		s := c.site(bucketPages, k, 0)
		if s == nil {
			return
		}
		p, err := decodePage(s.id, k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		if other, ok := s.numbers[p.number]; ok {
			c.problem(s.page(p.Key), "it has the number of page %s", other)
		}
		if p.number == 0 || p.number > s.head.lastPage {
			c.problem(s.page(p.Key), "its number %d was never given", p.number)
		}
		s.numbers[p.number] = p.Key
		s.pages[p.Key] = &pageCheck{number: p.number, says: pageCounts{p.Counts, p.Standing}}
	})
}

func (c *checker) checkComments() error {
	return c.each(bucketComments, func(k, v []byte) {
		s := c.site(bucketComments, k, commentSize)
		if s == nil {
			return
		}
		comment, err := decodeComment(s.id, k, v, true)
		if err != nil {
			c.damaged(err)
			return
		}
		s.counts.Move("", comment.Status)
		c.checkComment(s, &comment, uuid.UUID(k[4:]))
	})
}

func (c *checker) checkComment(s *siteCheck, comment *stored, id uuid.UUID) {
	name := s.comment(id)
	if !c.tx.Has(bucketQueues, queueKey(s.head.number, statusQueue(comment.Status), id)) {
		c.problem(name, "it is %s but not in that queue", comment.Status)
	}
	s.tally.Move(nil, &comment.Comment)
	for _, q := range comments.Queues {
		if comment.In(q) && !c.tx.Has(bucketQueues, queueKey(s.head.number, queueOf(q), id)) {
			c.problem(name, "it is not in the queue %s, where it belongs", q)
		}
	}
	if !comment.Author.IsZero() && !c.tx.Has(bucketAuthors, authorEntry(s.head.number, byKey, comment.Author, id)) {
		c.problem(name, "the list of its author lacks it")
	}
	if reports, err := c.tx.reports(s.head.number, s.id, id); err == nil {
		open := int64(0)
		for _, r := range reports {
			if !r.Closed {
				open++
			}
		}
		if open != comment.Reports {
			c.problem(name, "it counts %d open reports, and there are %d", comment.Reports, open)
		}
	}
	if comment.Status == comments.Pending && !c.tx.Has(bucketQueues, riskKey(s.head.number, comment.Risk, id)) {
		c.problem(name, "it is not in its place in the queue by risk")
	}
	if p := s.pages[comment.Page]; p == nil {
		c.problem(name, "its page %s does not exist", comment.Page)
	} else {
		p.counted.Move("", comment.Status)
		if comment.Standing() {
			p.counted.standing++
			s.days[string(dayKey(s.head.number, comments.DayOf(comment.CreatedAt), comment.Page))]++
			if !c.tx.Has(bucketThreads, threadKey(s.head.number, p.number, id)) {
				c.problem(name, "readers see it, but it is not in its page's thread")
			}
			c.standingTree(s, p.number, &comment.Comment, id)
		}
	}
	if comment.Likes != 0 {
		s.likes[id] += comment.Likes
	}
	root := comments.ID("")
	if comment.Parent != "" {
		parent, err := c.tx.comment(s.head.number, s.id, comment.Parent.UUID(), false)
		if errors.Is(err, comments.ErrNotFound) || err == nil && parent.Page != comment.Page {
			c.problem(name, "the comment it answers is not on its page")
		} else if err == nil {
			root = parent.Answered()
		}
	}
	if comment.Root != root {
		c.problem(name, "the topmost comment it answers is %q, and it says %q", root, comment.Root)
	}
	c.checkHistory(s, comment, name)
}

// checkHistory holds a comment against the events it lists.
func (c *checker) checkHistory(s *siteCheck, comment *stored, name string) {
	var status comments.Status
	var version uint64
	for _, seq := range comment.history {
		s.events++
		key := eventKey(s.head.number, seq)
		record := c.tx.get(bucketJournal, key)
		if record == nil {
			c.problem(name, "event %d of its history is missing", seq)
			return
		}
		e, err := decodeEvent(s.id, key, record)
		if err != nil {
			return // reported with the journal
		}
		if e.Comment != comment.ID || e.From != status || e.Version != version+1 && (e.Version != version || version == 0) {
			c.problem(name, "event %d of its history is not about it, or does not follow the one before", seq)
			return
		}
		status, version = e.To, e.Version
	}
	if status != comment.Status {
		c.problem(name, "it is %s, and by its history %q", comment.Status, status)
	}
	if version != comment.Version {
		c.problem(name, "it is at version %d, and by its history at %d", comment.Version, version)
	}
}

func (c *checker) checkQueues() error {
	return c.each(bucketQueues, func(k, _ []byte) {
		size := 5 + uuidSize
		if len(k) == size+riskSize && queue(k[4]) == queueRisk {
			size += riskSize
		}
		s := c.site(bucketQueues, k, size)
		if s == nil {
			return
		}
		q, id := queue(k[4]), uuid.UUID(k[size-uuidSize:])
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(s.comment(id), "it does not exist, but a queue lists it")
		case err != nil: // reported with the comments
		case !slices.ContainsFunc(queuesOf(s.head.number, &comment.Comment, id), func(key []byte) bool { return bytes.Equal(key, k) }):
			c.problem(s.comment(id), "it is %s, but the queue %q lists it, where it does not belong", comment.Status, q)
		}
	})
}

// queuesOf are the keys of a comment's entries in queues.
func queuesOf(site uint32, c *comments.Comment, id uuid.UUID) [][]byte {
	keys := [][]byte{queueKey(site, statusQueue(c.Status), id)}
	for _, q := range comments.Queues {
		if c.In(q) {
			keys = append(keys, queueKey(site, queueOf(q), id))
		}
	}
	if c.Status == comments.Pending {
		keys = append(keys, riskKey(site, c.Risk, id))
	}
	return keys
}

func (c *checker) checkRevisions() error {
	return c.each(bucketRevisions, func(k, v []byte) {
		s := c.site(bucketRevisions, k, commentSize+8)
		if s == nil {
			return
		}
		name := "revision of " + s.comment(uuid.UUID(k[4:commentSize]))
		r, err := decodeRevision(k, v)
		if err != nil {
			c.damaged(err)
			return
		}
		comment, err := c.tx.comment(s.head.number, s.id, uuid.UUID(k[4:commentSize]), false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(name, "the comment does not exist")
		case err == nil && r.Version >= comment.Version:
			c.problem(name, "it is of version %d, which is not past", r.Version)
		}
	})
}

func (c *checker) checkThreads() error {
	return c.each(bucketThreads, func(k, _ []byte) {
		s := c.site(bucketThreads, k, 8+uuidSize)
		if s == nil {
			return
		}
		id := uuid.UUID(k[8:])
		page, known := s.numbers[binary.BigEndian.Uint32(k[4:])]
		comment, err := c.tx.comment(s.head.number, s.id, id, false)
		switch {
		case errors.Is(err, comments.ErrNotFound):
			c.problem(s.comment(id), "it does not exist, but a thread lists it")
		case err != nil: // reported with the comments
		case !comment.Standing():
			c.problem(s.comment(id), "it is %s, but a thread lists it", comment.Status)
		case !known || page != comment.Page:
			c.problem(s.comment(id), "another page's thread lists it")
		}
	})
}

func (c *checker) checkCounts() error {
	for _, s := range c.inOrder() {
		name := "site " + s.id
		if s.counts != s.head.Counts {
			c.problem(name, "its counts are %s, counted were %s", show(s.head.Counts), show(s.counts))
		}
		if s.tally != s.head.Queues {
			c.problem(name, "it tallies %+v, counted were %+v", s.head.Queues, s.tally)
		}
		for _, key := range slices.Sorted(maps.Keys(s.pages)) {
			if p := s.pages[key]; p.says != p.counted {
				c.problem(s.page(key), "its counts are %s, %d standing, counted were %s, %d standing",
					show(p.says.Counts), p.says.standing, show(p.counted.Counts), p.counted.standing)
			}
		}
	}
	if c.tell != nil {
		c.tell(c.total, c.total)
	}
	return nil
}

func (c *checker) inOrder() []*siteCheck {
	list := slices.Collect(maps.Values(c.sites))
	slices.SortFunc(list, func(a, b *siteCheck) int { return bytes.Compare([]byte(a.id), []byte(b.id)) })
	return list
}

func show(n comments.Counts) string {
	return fmt.Sprintf("%d pending, %d approved, %d rejected, %d spam, %d trashed",
		n.Pending, n.Approved, n.Rejected, n.Spam, n.Trashed)
}
