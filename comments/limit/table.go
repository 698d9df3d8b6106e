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
	keep  int           // uses that matter: the greatest Most
	span  time.Duration // for how long: the greatest Per
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

func newTable[K comparable](rules []Rule, most int, now func() time.Time) (*table[K], error) {
	if len(rules) == 0 || most < 1 {
		return nil, errors.New("no rule, or room for nothing")
	}
	t := &table[K]{rules: rules, most: most, now: now, start: now(), entries: make(map[K]*list.Element), order: list.New()}
	for _, r := range rules {
		if r.Most < 1 || r.Per <= 0 {
			return nil, errors.New("a rule that allows nothing")
		}
		t.keep, t.span = max(t.keep, r.Most), max(t.span, r.Per)
	}
	return t, nil
}

// take counts a use of key and returns its time, or how long to wait, in whole seconds,
// and counts nothing.
func (t *table[K]) take(key K) (at, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at = t.now().Sub(t.start)
	t.dropStale(at)
	if e := t.at(key); e != nil {
		// Uses stand in order even when the clock steps back.
		if last := len(e.uses) - 1; last >= 0 {
			at = max(at, e.uses[last])
		}
		if wait = t.wait(e, at); wait > 0 {
			return 0, wait
		}
	}
	t.record(key, at)
	return at, 0
}

// peek is how long key has to wait; it counts nothing.
func (t *table[K]) peek(key K) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.at(key); e != nil {
		return t.wait(e, t.now().Sub(t.start))
	}
	return 0
}

// add counts a use of key whether or not it is one too many.
func (t *table[K]) add(key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.now().Sub(t.start)
	t.dropStale(at)
	if e := t.at(key); e != nil && len(e.uses) > 0 {
		at = max(at, e.uses[len(e.uses)-1])
	}
	t.record(key, at)
}

// giveBack forgets a use.
func (t *table[K]) giveBack(key K, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.at(key)
	if e == nil {
		return
	}
	if i := slices.Index(e.uses, at); i >= 0 {
		e.uses = slices.Delete(e.uses, i, i+1)
	}
	if len(e.uses) == 0 {
		t.order.Remove(t.entries[key])
		delete(t.entries, key)
	}
}

func (t *table[K]) at(key K) *entry[K] {
	if el := t.entries[key]; el != nil {
		return el.Value.(*entry[K])
	}
	return nil
}

// wait is how long until every rule allows another use, rounded up to seconds.
func (t *table[K]) wait(e *entry[K], now time.Duration) (wait time.Duration) {
	for _, r := range t.rules {
		if n := len(e.uses) - r.Most; n >= 0 {
			wait = max(wait, e.uses[n]+r.Per-now)
		}
	}
	if wait <= 0 {
		return 0
	}
	return (wait + time.Second - 1).Truncate(time.Second)
}

func (t *table[K]) record(key K, at time.Duration) {
	el := t.entries[key]
	if el == nil {
		if len(t.entries) >= t.most {
			t.drop(t.order.Back())
		}
		el = t.order.PushFront(&entry[K]{key: key})
		t.entries[key] = el
	}
	t.order.MoveToFront(el)
	e := el.Value.(*entry[K])
	old := 0
	for old < len(e.uses) && (e.uses[old]+t.span <= at || len(e.uses)-old >= t.keep) {
		old++
	}
	e.uses = append(slices.Delete(e.uses, 0, old), at)
}

// dropStale drops what no rule asks for any more. Two for each use keep up with any
// arrivals, and nobody waits for a sweep.
func (t *table[K]) dropStale(now time.Duration) {
	for range 2 {
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
