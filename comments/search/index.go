package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"duyet/comments"
)

// The index of a site is parts that are written once: each lists the comments that some
// stretch of the journal has brought or changed. Small parts are merged into larger ones,
// so that a word is looked up in few of them. What the journal tells beyond the last part is
// looked at without an index, and so are words just edited: nothing is missed meanwhile.
//
// Words that are taken out of a comment stay listed as hashes; whoever is led there by them
// finds that the comment doesn't fit.

const (
	partLeast    = 1_000 // comments that make a part
	partMost     = 4_000 // and that one part is made of at most
	eventsLeast  = 8_000 // events that move the index on whatever they tell
	eventsAtOnce = 1_000
	mergeOf      = 8     // parts of a level that are merged into one of the next
	mergeSlice   = 1_000 // entries of each part read for one step of a merge
	dropSlice    = 4_000
	// tailMost is how many events behind the journal an index may be to be used.
	tailMost = 20_000
)

// state is what an index says of itself.
type state struct {
	Seq     uint64   `json:"seq"`   // of the last event that is in it
	Moved   uint64   `json:"moved"` // all pages that moved up to this event stand as they are
	Next    uint64   `json:"next"`  // number of the next part
	Parts   []part   `json:"parts,omitempty"`
	Merge   *merging `json:"merge,omitempty"`
	Dropped []uint64 `json:"dropped,omitempty"` // parts that are still to be removed
}

type part struct {
	ID    uint64 `json:"id"`
	Level int    `json:"level"`
}

// merging is a merge under way: what comes up to After has been merged.
type merging struct {
	From  []uint64 `json:"from"`
	Into  part     `json:"into"`
	After *uint64  `json:"after,omitempty"`
}

func (e *Engine) state(ctx context.Context, site string) (s state, at comments.IndexState, err error) {
	at, err = e.store.IndexState(ctx, site)
	if err == nil && at.Version > 0 && json.Unmarshal(at.Data, &s) != nil {
		s = state{} // made anew; numbers of parts begin again, whose entries are written over
	}
	return s, at, err
}

func (e *Engine) write(ctx context.Context, site string, s state, at comments.IndexState, part uint64, entries []comments.IndexEntry) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	at.Data = data
	_, err = e.store.WriteIndex(ctx, site, at, part, entries)
	return err
}

// lists are where comments of all of some terms may be; ok is false when the index is too far
// behind to be of use.
func (e *Engine) lists(ctx context.Context, site string, head comments.Head, terms []uint64) (x *intersection, ok bool, err error) {
	s, _, err := e.state(ctx, site)
	if err != nil || len(s.Parts) == 0 || head.Seq-min(s.Seq, head.Seq) > tailMost {
		return nil, false, err
	}
	parts := make([]uint64, len(s.Parts))
	for i, p := range s.Parts {
		parts[i] = p.ID
	}
	found, err := e.store.IndexLists(ctx, site, parts, terms)
	if err != nil {
		return nil, false, err
	}
	x = &intersection{}
	for _, lists := range found {
		x.all = append(x.all, newUnion(lists))
	}
	for seq := s.Seq; ; {
		events, err := e.store.Events(ctx, site, seq, eventsAtOnce)
		if err != nil {
			return nil, false, err
		}
		for _, ev := range events {
			if seq = ev.Seq; movesPages(ev.Event) && seq > s.Moved {
				return nil, false, nil
			}
			if changesWords(ev.Event) {
				x.beside = append(x.beside, ev.Comment.Moment())
			}
		}
		if len(events) < eventsAtOnce {
			break
		}
	}
	x.beside = newestFirst(x.beside)
	again, _, err := e.state(ctx, site) // parts may have been merged away while they were read
	if err != nil || !slices.Equal(again.Parts, s.Parts) {
		return nil, false, err
	}
	return x, true, nil
}

// changesWords reports whether an event may be of a comment that is new or reads otherwise
// than before.
func changesWords(e comments.Event) bool {
	return e.Comment != "" && (e.Kind != comments.KindDecided || e.From == e.To)
}

// movesPages reports whether an event has taken comments to another page.
func movesPages(e comments.Event) bool {
	return e.Kind == comments.KindPageMerged || e.Kind == comments.KindPageRenamed
}

// Keep takes one step towards an index of all that a site's journal tells. more tells that
// there is another to take at once.
func (e *Engine) Keep(ctx context.Context, site string) (more bool, err error) {
	s, at, err := e.state(ctx, site)
	if err != nil {
		return false, err
	}
	switch {
	case len(s.Dropped) > 0:
		more, err = true, e.drop(ctx, site, s, at)
	case s.Merge != nil:
		more, err = true, e.mergeOn(ctx, site, s, at)
	default:
		more, err = e.read(ctx, site, s, at)
	}
	if errors.Is(err, comments.ErrDamaged) {
		more, err = true, errors.Join(e.anew(ctx, site, s, at))
	}
	if errors.Is(err, comments.ErrVersion) {
		return false, nil // another node keeps it
	}
	return more, err
}

// read makes a part of what the journal tells next.
func (e *Engine) read(ctx context.Context, site string, s state, at comments.IndexState) (more bool, err error) {
	if at.Version == 0 { // what is read now stands where it was moved to
		head, err := e.store.Head(ctx, site)
		if err != nil {
			return false, err
		}
		s.Moved = head.Seq
	}
	moments := map[int64]bool{}
	seq, end := s.Seq, false
	for !end && len(moments) < e.partMost {
		events, err := e.store.Events(ctx, site, seq, eventsAtOnce)
		if err != nil {
			return false, err
		}
		for _, ev := range events {
			if seq = ev.Seq; movesPages(ev.Event) && seq > s.Moved {
				return true, e.anew(ctx, site, s, at)
			}
			if changesWords(ev.Event) {
				moments[ev.Comment.Moment()] = true
			}
		}
		end = len(events) < eventsAtOnce
	}
	if end && len(moments) < e.partLeast && seq-s.Seq < eventsLeast {
		return false, nil
	}
	s.Seq = seq
	if len(moments) == 0 {
		return !end, e.write(ctx, site, s, at, 0, nil)
	}
	entries, err := e.entries(ctx, site, slices.Collect(maps.Keys(moments)))
	if err != nil {
		return false, err
	}
	id := s.Next
	s.Next++
	s.Parts = append(s.Parts, part{ID: id})
	s.Merge = due(&s)
	return !end || s.Merge != nil, e.write(ctx, site, s, at, id, entries)
}

// anew forgets an index, to make it from the journal's beginning: comments stand on other
// pages than it has them.
func (e *Engine) anew(ctx context.Context, site string, s state, at comments.IndexState) error {
	head, err := e.store.Head(ctx, site)
	if err != nil {
		return err
	}
	fresh := state{Next: s.Next, Moved: head.Seq, Dropped: s.Dropped}
	if s.Merge != nil {
		fresh.Dropped = append(fresh.Dropped, s.Merge.Into.ID)
	}
	for _, p := range s.Parts {
		fresh.Dropped = append(fresh.Dropped, p.ID)
	}
	return e.write(ctx, site, fresh, at, 0, nil)
}

// entries are the lists of the comments of some moments.
func (e *Engine) entries(ctx context.Context, site string, moments []int64) ([]comments.IndexEntry, error) {
	moments = newestFirst(moments)
	lists := map[uint64][]int64{}
	var split splitter
	for some := range slices.Chunk(moments, 500) {
		list, err := e.store.WrittenAt(ctx, site, some)
		if err != nil {
			return nil, err
		}
		for _, c := range slices.Backward(list) {
			m := c.ID.Moment()
			for _, t := range split.termsOf(&c) {
				if l := lists[t]; len(l) == 0 || l[len(l)-1] != m {
					lists[t] = append(l, m)
				}
			}
		}
	}
	entries := make([]comments.IndexEntry, 0, len(lists))
	for _, t := range slices.Sorted(maps.Keys(lists)) {
		entries = append(entries, comments.IndexEntry{Term: t, List: encode(lists[t])})
	}
	return entries, nil
}

// due is the merge that has become due.
func due(s *state) *merging {
	for level := 0; ; level++ {
		var from []uint64
		above := false
		for _, p := range s.Parts {
			if p.Level == level {
				from = append(from, p.ID)
			}
			above = above || p.Level > level
		}
		if len(from) >= mergeOf {
			m := &merging{From: from, Into: part{ID: s.Next, Level: level + 1}}
			s.Next++
			return m
		}
		if !above {
			return nil
		}
	}
}

// mergeOn merges a slice of the terms.
func (e *Engine) mergeOn(ctx context.Context, site string, s state, at comments.IndexState) error {
	m := *s.Merge
	byTerm := map[uint64][][]byte{}
	var until *uint64 // up to where every part was read
	for _, id := range m.From {
		list, err := e.store.IndexEntries(ctx, site, id, m.After, e.mergeSlice)
		if err != nil {
			return err
		}
		for _, entry := range list {
			byTerm[entry.Term] = append(byTerm[entry.Term], entry.List)
		}
		if len(list) == e.mergeSlice {
			if last := list[len(list)-1].Term; until == nil || last < *until {
				until = &last
			}
		}
	}
	var entries []comments.IndexEntry
	for _, t := range slices.Sorted(maps.Keys(byTerm)) {
		if until != nil && t > *until {
			break
		}
		entries = append(entries, comments.IndexEntry{Term: t, List: merge(byTerm[t])})
	}
	if m.After = until; until == nil {
		s.Parts = slices.DeleteFunc(s.Parts, func(p part) bool { return slices.Contains(m.From, p.ID) })
		s.Parts = append(s.Parts, m.Into)
		s.Dropped, s.Merge = m.From, due(&s)
	} else {
		s.Merge = &m
	}
	return e.write(ctx, site, s, at, m.Into.ID, entries)
}

// drop removes a slice of the first part that is to go.
func (e *Engine) drop(ctx context.Context, site string, s state, at comments.IndexState) error {
	n, err := e.store.DropIndex(ctx, site, s.Dropped[0], e.dropSlice)
	if err != nil || n == e.dropSlice {
		return err
	}
	s.Dropped = s.Dropped[1:]
	return e.write(ctx, site, s, at, 0, nil)
}

// keepEvery is how often journals are looked at for what is new.
const keepEvery = 2 * time.Second

// Run keeps the indexes of all sites until ctx ends.
func (e *Engine) Run(ctx context.Context, sites func(context.Context) ([]comments.Site, error), log *slog.Logger) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		if err := e.KeepAll(ctx, sites); err != nil && ctx.Err() == nil {
			log.Error("the index for searching can't be kept", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// KeepAll takes all the steps that are due.
func (e *Engine) KeepAll(ctx context.Context, sites func(context.Context) ([]comments.Site, error)) error {
	all, err := sites(ctx)
	if err != nil {
		return err
	}
	for _, site := range all {
		for more := true; more; {
			if more, err = e.Keep(ctx, site.ID); err != nil {
				if errors.Is(err, comments.ErrUnknownSite) {
					break // removed meanwhile
				}
				return fmt.Errorf("site %s: %w", site.ID, err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}
