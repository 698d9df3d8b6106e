package search

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
)

// Store is what a search reads, and what the index is kept in.
type Store interface {
	Queue(ctx context.Context, f comments.QueueFilter) ([]comments.Comment, error)
	Head(ctx context.Context, site string) (comments.Head, error)
	Events(ctx context.Context, site string, after uint64, limit int) ([]comments.Transition, error)
	comments.IndexStore
}

// Limits of a search, whatever it has to look through.
const (
	// pageFor is how long a page may be looked for; what was found by then is answered, with
	// the place to go on from.
	pageFor = 700 * time.Millisecond
	// countFor is how long from the start matches may be counted.
	countFor = 450 * time.Millisecond
	// CountMost is up to how many are counted exactly.
	CountMost = 10_000
	// scanRather is how long a queue may be to be looked through without the index.
	scanRather = 2_000
	// networkMost is how many comments of a network are looked at.
	networkMost = 20_000
)

// Engine searches a store. It is safe for concurrent use.
type Engine struct {
	store Store
	now   func() time.Time
	sizes
}

// sizes are the limits that tests make small.
type sizes struct {
	scanRather, partLeast, partMost, mergeSlice, dropSlice int
}

// New makes an engine over a store.
func New(store Store, now func() time.Time) *Engine {
	return &Engine{store, now, sizes{scanRather, partLeast, partMost, mergeSlice, dropSlice}}
}

// Ask is a search.
type Ask struct {
	// Filter is the queue that is searched, with order, place and limit; with All everything
	// is searched.
	Filter comments.QueueFilter
	Query  Query
	Count  bool // how many fit, beyond the page
}

// Answer is what a search has found.
type Answer struct {
	Comments []comments.Comment
	// More tells that there may be more behind Last, which is the comment that was looked at
	// last.
	More bool
	Last comments.Comment
	// Partial tells that the page ended because time did, not because it was full.
	Partial bool
	// Found is how many fit, if that was asked for; AtLeast tells that there are more.
	Found   int
	AtLeast bool
}

// Search finds the comments of a queue that answer a question. The cost of a page is bounded
// by time, whatever is asked.
func (e *Engine) Search(ctx context.Context, a Ask) (Answer, error) {
	begun := e.now()
	r := &run{e: e, ask: a, matcher: NewMatcher(a.Query)}
	if err := r.open(ctx, a.Filter); err != nil {
		return Answer{}, err
	}
	answer, err := r.page(ctx, begun.Add(pageFor))
	if err != nil || !a.Count {
		return answer, err
	}
	answer.Found = len(answer.Comments)
	if a.Filter.After != "" {
		whole := a.Filter
		whole.After, whole.AfterRisk = "", 0
		if err := r.open(ctx, whole); err != nil {
			return Answer{}, err
		}
		answer.Found = 0
	} else if !answer.More {
		return answer, nil
	}
	more, err := r.count(ctx, begun.Add(countFor), CountMost-answer.Found)
	answer.Found += more
	answer.AtLeast = !r.done
	return answer, err
}

// run is a search under way.
type run struct {
	e       *Engine
	ask     Ask
	matcher *Matcher
	from    map[comments.ID]bool // of the network asked for; nil = any
	next    func(ctx context.Context, most int) ([]comments.Comment, error)
	held    []comments.Comment // read and not looked at yet
	chunk   int
	last    int64 // moment beyond which nothing can fit; -1 = none
	done    bool  // there is nothing left to look at
}

// open chooses how to go through a queue: from its index in the store, or along the lists of
// the terms asked for.
func (r *run) open(ctx context.Context, f comments.QueueFilter) error {
	r.held, r.done, r.chunk = nil, false, max(64, f.Limit+1)
	r.last = -1
	if f.Order != comments.ByRisk {
		f.After, r.last = r.ask.Query.span(f)
	}
	head, err := r.e.store.Head(ctx, f.Site)
	if err != nil {
		return err
	}
	if r.ask.Query.Network.IsValid() {
		return r.openNetwork(ctx, f)
	}
	terms := r.ask.Query.terms()
	if f.Order != comments.ByRisk && len(terms) > 0 && size(head, f) > int64(r.e.scanRather) {
		x, ok, err := r.e.lists(ctx, f.Site, head, terms)
		if err != nil {
			return err
		}
		if ok {
			r.along(f, x)
			return nil
		}
	}
	r.through(f)
	return nil
}

// drift is how far a comment's time and the moment in its id may be from each other.
const drift = 36 * time.Hour

// span is where in a queue by time to begin, and the moment at which to end, for days that
// were asked for.
func (q *Query) span(f comments.QueueFilter) (after comments.ID, last int64) {
	after, last = f.After, -1
	begin, end := q.Since, q.Before
	if f.Order == comments.Newest {
		begin, end = end, begin
	}
	later, sooner := drift, -drift
	if f.Order != comments.Newest {
		later, sooner = sooner, later
	}
	if !end.IsZero() {
		last = max(end.Add(sooner).UnixMilli(), 0)
	}
	if begin.IsZero() {
		return after, last
	}
	from := idAt(f.Site, begin.Add(later))
	if after == "" || f.Order == comments.Newest && from < after || f.Order != comments.Newest && from > after {
		after = from
	}
	return after, last
}

// idAt is an id made at a time, before all others of its moment.
func idAt(site string, t time.Time) comments.ID {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(max(t.UnixMilli(), 0))<<16)
	return comments.MakeID(site, u)
}

// size is how many comments a queue has.
func size(h comments.Head, f comments.QueueFilter) int64 {
	switch {
	case f.Queue != "":
		return h.Queues.Of(f.Queue)
	case f.Status != "":
		return h.Counts.Of(f.Status)
	}
	return h.Counts.Total()
}

// through reads a queue in its order.
func (r *run) through(f comments.QueueFilter) {
	r.next = func(ctx context.Context, most int) ([]comments.Comment, error) {
		f.Limit = most
		list, err := r.e.store.Queue(ctx, f)
		if n := len(list); n > 0 {
			f.After, f.AfterRisk = list[n-1].ID, list[n-1].Risk
		}
		return list, err
	}
}

// along reads the comments that lists name, the newest first or all the way back.
func (r *run) along(f comments.QueueFilter, x *intersection) {
	newest := f.Order == comments.Newest
	if !newest {
		r.reading(f, backwards(x, f.After))
		return
	}
	place := int64(math.MaxInt64)
	if f.After != "" {
		place = f.After.Moment()
	}
	r.reading(f, func(most int) (moments []int64) {
		for len(moments) < most {
			m := x.next(place)
			if m < 0 {
				break
			}
			moments, place = append(moments, m), m-1
		}
		return moments
	})
}

// backwards reads lists to their end, to give them out from there.
func backwards(x *intersection, after comments.ID) func(int) []int64 {
	var all []int64
	from := int64(0)
	if after != "" {
		from = after.Moment()
	}
	for m := x.next(math.MaxInt64); m >= from; m = x.next(m - 1) {
		all = append(all, m)
	}
	slices.Reverse(all)
	return func(most int) []int64 {
		n := min(most, len(all))
		part := all[:n]
		all = all[n:]
		return part
	}
}

// reading reads the comments of moments that come in the order of a queue.
func (r *run) reading(f comments.QueueFilter, moments func(most int) []int64) {
	newest := f.Order == comments.Newest
	r.next = func(ctx context.Context, most int) ([]comments.Comment, error) {
		for {
			some := moments(most)
			if len(some) == 0 {
				return nil, nil
			}
			list, err := r.e.store.WrittenAt(ctx, f.Site, some)
			if err != nil {
				return nil, err
			}
			if newest {
				slices.Reverse(list)
			}
			list = slices.DeleteFunc(list, func(c comments.Comment) bool {
				past := f.After != "" && (newest && c.ID >= f.After || !newest && c.ID <= f.After)
				return past || !f.Fits(&c)
			})
			if len(list) > 0 {
				return list, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
}

// openNetwork looks at the comments of a network alone.
func (r *run) openNetwork(ctx context.Context, f comments.QueueFilter) error {
	ids, more, err := r.e.store.FromNetwork(ctx, f.Site, r.ask.Query.Network, networkMost)
	if err != nil {
		return err
	}
	if r.from = make(map[comments.ID]bool, len(ids)); f.Order == comments.ByRisk || more {
		for _, id := range ids {
			r.from[id] = true
		}
		if f.Order == comments.ByRisk {
			r.through(f)
			return nil
		}
	}
	x := &intersection{}
	for _, id := range ids {
		r.from[id] = true
		x.beside = append(x.beside, id.Moment())
	}
	x.beside = newestFirst(x.beside)
	r.along(f, x)
	return nil
}

// fits holds a comment against all that is asked.
func (r *run) fits(c *comments.Comment) bool {
	return (r.from == nil || r.from[c.ID]) && r.matcher.Fits(c)
}

// more reads on when nothing is held.
func (r *run) more(ctx context.Context) (err error) {
	if len(r.held) > 0 || r.done {
		return nil
	}
	r.held, err = r.next(ctx, r.chunk)
	r.done = len(r.held) == 0
	if r.last >= 0 && !r.done {
		newest, at := r.ask.Filter.Order == comments.Newest, r.held[0].ID.Moment()
		if r.done = newest && at < r.last || !newest && at > r.last; r.done {
			r.held = nil
		}
	}
	r.chunk = min(2*r.chunk, 512)
	return err
}

// page looks for a page until a moment.
func (r *run) page(ctx context.Context, until time.Time) (a Answer, err error) {
	limit := r.ask.Filter.Limit
	for {
		if err := r.more(ctx); err != nil || r.done {
			return a, err
		}
		for i := range r.held {
			c := &r.held[i]
			fits := r.fits(c)
			if fits && len(a.Comments) == limit {
				a.More, r.held = true, r.held[i:]
				a.Last = a.Comments[limit-1]
				return a, nil
			}
			if fits {
				a.Comments = append(a.Comments, *c)
			}
			if i%64 == 63 && !r.e.now().Before(until) {
				a.Last, a.More, a.Partial, r.held = *c, true, true, r.held[i+1:]
				return a, nil
			}
			a.Last = *c
		}
		r.held = nil
		if !r.e.now().Before(until) {
			a.More, a.Partial = true, true
			return a, nil
		}
	}
}

// count counts on from where the page ended, until a moment.
func (r *run) count(ctx context.Context, until time.Time, most int) (n int, err error) {
	for {
		if err := r.more(ctx); err != nil || r.done {
			return n, err
		}
		for i := range r.held {
			if i%64 == 63 && !r.e.now().Before(until) {
				return n, nil
			}
			if !r.fits(&r.held[i]) {
				continue
			}
			if n == most {
				return n, nil
			}
			n++
		}
		r.held = nil
		if !r.e.now().Before(until) {
			return n, nil
		}
	}
}

// Later orders comments as a queue of several sites has them; for merging.
func Later(order comments.Sort, a, b *comments.Comment) int {
	ua, ub := a.ID.UUID(), b.ID.UUID()
	byTime := strings.Compare(string(ua[:]), string(ub[:]))
	switch {
	case order == comments.ByRisk && a.Risk != b.Risk:
		return int(b.Risk) - int(a.Risk)
	case order == comments.Newest:
		return -byTime
	}
	return byTime
}
