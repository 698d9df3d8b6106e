package audience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"
)

// Run writes what waits every FlushEvery, and earlier when much waits, until ctx is done;
// then it writes a last time and returns. A write that fails is logged once until one
// succeeds, and what it held waits for the next.
func (a *Audience) Run(ctx context.Context) {
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-tick.C:
		case <-a.kick:
		case <-ctx.Done():
			if err := a.flush(context.WithoutCancel(ctx)); err != nil {
				a.cfg.Log.Error("page views not written", "err", err)
			}
			return
		}
		err := a.flush(ctx)
		if err != nil && !failing {
			a.cfg.Log.Error("page views wait to be written", "err", err)
		}
		failing = err != nil
		a.forget()
	}
}

func (a *Audience) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return a.Flush(ctx)
}

// Flush writes what waits, in one transaction as long as fewer than some thousand pages were
// seen, and nothing when nothing waits. What isn't written goes on waiting.
func (a *Audience) Flush(ctx context.Context) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	var deltas []Delta
	var faults error
	for _, s := range a.all() {
		d, fault := a.take(s)
		deltas = append(deltas, d...)
		faults = errors.Join(faults, fault)
	}
	for len(deltas) > 0 {
		n := batch(deltas)
		if err := a.cfg.Store.FlushAudience(ctx, deltas[:n]); err != nil {
			a.putBack(deltas)
			return errors.Join(faults, fmt.Errorf("audience: %w", err))
		}
		a.written(deltas[:n])
		deltas = deltas[n:]
	}
	return faults
}

// batch is how many of the deltas go into one transaction.
func batch(deltas []Delta) int {
	pages := 0
	for i, d := range deltas {
		pages += len(d.Pages)
		if i > 0 && pages > pagesPerWrite {
			return i
		}
	}
	return len(deltas)
}

// all lists the sites, by id.
func (a *Audience) all() []*site {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*site, 0, len(a.sites))
	for _, s := range a.sites {
		list = append(list, s)
	}
	slices.SortFunc(list, func(x, y *site) int { return cmp.Compare(x.id, y.id) })
	return list
}

// take makes deltas of what waits for a site, and what went wrong with it since last time.
func (a *Audience) take(s *site) ([]Delta, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Delta
	var fault error
	if !s.told {
		fault, s.told = s.fault, true
	}
	for day, sketch := range s.fresh {
		bytes, err := sketch.MarshalBinary()
		if err != nil {
			return nil, err
		}
		list = append(list, Delta{Site: s.id, Day: day, Sketch: bytes})
	}
	slices.SortFunc(list, func(x, y Delta) int { return cmp.Compare(x.Day, y.Day) })
	s.fresh = nil
	for len(s.pages) > 0 {
		if len(list) == 0 || len(list[len(list)-1].Pages) > 0 {
			list = append(list, Delta{Site: s.id, Day: s.day})
		}
		list[len(list)-1].Pages = s.takePages()
	}
	s.takenAt = s.loads
	if now := a.cfg.Now(); a.cfg.Shared && s.isOpen && now.Sub(s.shared) >= shareEvery {
		slots, err := s.freshSlots()
		if err != nil {
			return nil, err
		}
		if s.shared = now; len(slots) > 0 {
			list = append(list, Delta{Site: s.id, Day: s.day, Slots: slots})
		}
	}
	return list, fault
}

// takePages takes as many pages out of those that wait as go into one transaction.
func (s *site) takePages() map[string]int64 {
	some := s.pages
	if s.pages = nil; len(some) <= pagesPerWrite {
		return some
	}
	s.pages = some
	some = make(map[string]int64, pagesPerWrite)
	for p, n := range s.pages {
		if some[p] = n; len(some) == pagesPerWrite {
			break
		}
	}
	for p := range some {
		delete(s.pages, p)
	}
	return some
}

// written takes what the store has now into what is known of it.
func (a *Audience) written(deltas []Delta) {
	bytes := 0
	for _, d := range deltas {
		s := a.lock(d.Site)
		for p, n := range d.Pages {
			s.past.Views += n
			bytes += keyCost(p)
			a.wrote(d.Site, p, n)
		}
		s.reload = s.reload || s.loads != s.takenAt
		s.mu.Unlock()
	}
	a.giveBack(bytes)
}

// putBack lets deltas wait again.
func (a *Audience) putBack(deltas []Delta) {
	bytes := 0
	for _, d := range deltas {
		s := a.lock(d.Site)
		for p, n := range d.Pages {
			if s.pages == nil {
				s.pages = map[string]int64{}
			}
			if s.pages[p] > 0 {
				bytes += keyCost(p) // seen again meanwhile: it waits once, not twice
			}
			s.pages[p] += n
		}
		s.putBackSketch(d)
		if d.Slots != nil {
			s.shared = time.Time{}
			for i := range s.online {
				s.online[i].fresh = s.online[i].seen != nil
			}
		}
		s.mu.Unlock()
	}
	a.giveBack(bytes)
}

func (s *site) putBackSketch(d Delta) {
	sketch := &hyperloglog.Sketch{}
	if d.Sketch == nil || sketch.UnmarshalBinary(d.Sketch) != nil { // which take made
		return
	}
	_ = sketch.Merge(s.fresh[d.Day]) // of one precision, or nil
	if s.fresh == nil {
		s.fresh = map[Day]*hyperloglog.Sketch{}
	}
	s.fresh[d.Day] = sketch
}

// forget lets go of sites where nobody is online and nothing waits, and of the quietest
// when there are too many.
func (a *Audience) forget() {
	list := a.all()
	if len(list) == 0 {
		return
	}
	now := a.cfg.Now()
	seen := make(map[*site]time.Time, len(list))
	for _, s := range list {
		seen[s] = s.lastSeen()
	}
	slices.SortFunc(list, func(x, y *site) int { return seen[x].Compare(seen[y]) })
	for i, s := range list {
		if now.Sub(seen[s]) <= onlineFor+slotLength && len(list)-i <= maxSites {
			return
		}
		s.mu.Lock()
		s.gone = len(s.pages) == 0 && len(s.fresh) == 0
		gone := s.gone
		s.mu.Unlock()
		if gone {
			a.remove(s)
		}
	}
}

func (s *site) lastSeen() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}
