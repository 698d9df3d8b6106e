package limit

import (
	"container/list"
	"errors"
	"slices"
	"sync"
	"time"
)

// table remembers when each key was last used, as often as its rules need to know, so that
// "5 a minute" holds for any minute and is exact.
//
// golang.org/x/time/rate, like any leaky bucket, refills while the minute runs: five at
// once and a sixth after 12 seconds; and what its reservations give back is approximate.
type table[K comparable] struct {
	rules []Rule
	span  time.Duration // for how long a use matters
	most  int           // entries
	now   func() time.Time
	start time.Time // times are kept since then, by the clock that never steps

	mu      sync.Mutex
	entries map[K]*list.Element // of *entry[K]
	order   *list.List          // the one used last in front
}

type entry[K comparable] struct {
	key  K
	uses []time.Duration // oldest first
}

// share is a key that a use counts against, and what part of the rules it may use up.
type share[K comparable] struct {
	key   K
	scale Scale
	keep  Scale // the greatest scale anybody asks this key by
}

func newTable[K comparable](rules []Rule, most int, now func() time.Time) (*table[K], error) {
	if len(rules) == 0 || most < 1 {
		return nil, errors.New("no rule, or room for nothing")
	}
	t := &table[K]{rules: rules, most: most, now: now, start: now(), entries: make(map[K]*list.Element), order: list.New()}
	for _, r := range rules {
		if r.Most < 1 || r.Per <= 0 || r.Pause < 0 {
			return nil, errors.New("a rule that allows nothing")
		}
		t.span = max(t.span, r.Per, r.Pause)
	}
	return t, nil
}

// whole is a share of a key that the rules hold for as they stand.
func whole[K comparable](key K) share[K] { return share[K]{key, 1, 1} }

// take counts a use against every share and returns its time, or how long to wait, in
// whole seconds, and counts nothing.
func (t *table[K]) take(shares ...share[K]) (at, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at = t.now().Sub(t.start)
	t.dropStale(at)
	for _, s := range shares {
		if e := t.at(s.key); e != nil && len(e.uses) > 0 {
			at = max(at, e.uses[len(e.uses)-1]) // in order even when the clock steps back
		}
	}
	for _, s := range shares {
		if e := t.at(s.key); e != nil {
			wait = max(wait, Wait(t.rules, s.scale, e.uses, at))
		}
	}
	if wait > 0 {
		return 0, wait
	}
	for _, s := range shares {
		t.record(s, at)
	}
	return at, 0
}

// peek is how long a share has to wait; it counts nothing.
func (t *table[K]) peek(shares ...share[K]) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range shares {
		if e := t.at(s.key); e != nil {
			wait = max(wait, Wait(t.rules, s.scale, e.uses, t.now().Sub(t.start)))
		}
	}
	return wait
}

// add counts a use whether or not it is one too many.
func (t *table[K]) add(shares ...share[K]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now().Sub(t.start)
	t.dropStale(now)
	for _, s := range shares {
		at := now
		if e := t.at(s.key); e != nil && len(e.uses) > 0 {
			at = max(at, e.uses[len(e.uses)-1])
		}
		t.record(s, at)
	}
}

// giveBack forgets a use.
func (t *table[K]) giveBack(at time.Duration, shares ...share[K]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range shares {
		e := t.at(s.key)
		if e == nil {
			continue
		}
		if i := slices.Index(e.uses, at); i >= 0 {
			e.uses = slices.Delete(e.uses, i, i+1)
		}
		if len(e.uses) == 0 {
			t.order.Remove(t.entries[s.key])
			delete(t.entries, s.key)
		}
	}
}

func (t *table[K]) at(key K) *entry[K] {
	if el := t.entries[key]; el != nil {
		return el.Value.(*entry[K])
	}
	return nil
}

func (t *table[K]) record(s share[K], at time.Duration) {
	el := t.entries[s.key]
	if el == nil {
		if len(t.entries) >= t.most {
			t.drop(t.order.Back())
		}
		el = t.order.PushFront(&entry[K]{key: s.key})
		t.entries[s.key] = el
	}
	t.order.MoveToFront(el)
	e := el.Value.(*entry[K])
	old, keep := 0, Keep(t.rules, s.keep)
	for old < len(e.uses) && (e.uses[old]+t.span <= at || len(e.uses)-old >= keep) {
		old++
	}
	e.uses = append(slices.Delete(e.uses, 0, old), at)
}

// dropStale drops what no rule asks for any more. Three for each use keep up with any
// arrivals, and nobody waits for a sweep.
func (t *table[K]) dropStale(now time.Duration) {
	for range 3 {
		el := t.order.Back()
		if el == nil {
			return
		}
		if uses := el.Value.(*entry[K]).uses; uses[len(uses)-1]+t.span > now {
			return
		}
		t.drop(el)
	}
}

func (t *table[K]) drop(el *list.Element) {
	t.order.Remove(el)
	delete(t.entries, el.Value.(*entry[K]).key)
}
