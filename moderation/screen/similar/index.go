// Package similar finds texts that are nearly the same as recent ones, and groups them into
// campaigns.
//
// Each text is kept as a MinHash of its character shingles, never as words, and looked up by
// locality-sensitive hashing (Indyk and Motwani, STOC 1998; 20 bands of 4), so a look-up touches
// the few that are likely alike, not the window. Two texts that share half of their shingles are
// found with a probability of 0.72, two that share 0.7 with 0.996.
//
// It decides nothing: a reader may well say what another has said.
package similar

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	least     = 24  // letters and digits: below, people say the same by chance
	threshold = 0.5 // similarity from which texts are told of
	mostShown = 50  // matches of one look-up
	mostTried = 512 // candidates of one look-up, the newest of each band
)

// Match is a recent text that is much like the one asked about.
type Match struct {
	ID         string
	Similarity float64 // estimated share of common shingles, 0.5 to 1
	At         time.Time
}

// item is a text of the window. Its place in the ring is its number modulo the ring's size.
type item struct {
	id     string
	at     time.Time
	sketch sketch
	gone   bool
}

// Index is a window of recent texts. It is safe for concurrent use. It takes some 1.2 KB a text.
type Index struct {
	mu     sync.RWMutex
	size   int
	within time.Duration
	ring   []item
	first  uint64 // number of the oldest in the window
	next   uint64 // number of the next to come
	byID   map[string]uint64
	bands  map[uint64][]uint64 // band → numbers, rising
}

// New makes an Index of the last size texts, at least 1, that are no older than within; zero
// sets no age.
func New(size int, within time.Duration) *Index {
	size = max(size, 1)
	return &Index{
		size: size, within: within,
		ring:  make([]item, size),
		byID:  map[string]uint64{},
		bands: map[uint64][]uint64{},
	}
}

// Len is the number of texts that can be found.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Has reports whether a text of that id can be found.
func (x *Index) Has(id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.byID[id]
	return ok
}

// Add takes a text into the window, and lets go what is too many or, at the time at, too old. A
// text with fewer than 24 letters and digits of its own, quoted lines left out, is not kept. An
// id that is known gives up its old text. Texts are to come about in the order of at.
func (x *Index) Add(id, text string, at time.Time) {
	s, ok := read(text)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(id)
	x.expire(at)
	if !ok {
		return
	}
	if x.next-x.first == uint64(x.size) {
		x.drop(x.first)
		x.first++
	}
	n := x.next
	x.next++
	x.ring[n%uint64(x.size)] = item{id: id, at: at, sketch: s}
	x.byID[id] = n
	for i := range bands {
		b := s.band(i)
		x.bands[b] = append(x.bands[b], n)
	}
}

// Remove takes a text out of the window. One that is not there is no error.
func (x *Index) Remove(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(id)
}

// Near gives the recent texts most like this one, at most 50, the most alike first and the newer
// first among equals. It is empty for a text too short to be kept.
func (x *Index) Near(text string) []Match {
	s, ok := read(text)
	if !ok {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []Match
	for _, n := range x.candidates(&s) {
		it := &x.ring[n%uint64(x.size)]
		if sim := s.similarity(&it.sketch); sim >= threshold {
			out = append(out, Match{it.id, sim, it.at})
		}
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), b.At.Compare(a.At), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), mostShown)]
}

// read sketches a text; ok is false when it is too short to tell.
func read(text string) (s sketch, ok bool) {
	plain := normalize(unquoted(text))
	if distinctive(plain) < least {
		return s, false
	}
	return sketchOf(plain), true
}

// candidates are the numbers of texts that share a band, each once.
func (x *Index) candidates(s *sketch) []uint64 {
	var out []uint64
	const perBand = mostTried / bands
	for i := range bands {
		numbers := x.bands[s.band(i)]
		out = append(out, numbers[max(0, len(numbers)-perBand):]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (x *Index) forget(id string) {
	if n, ok := x.byID[id]; ok {
		x.drop(n)
	}
}

func (x *Index) expire(now time.Time) {
	for x.first < x.next {
		it := &x.ring[x.first%uint64(x.size)]
		if !it.gone && (x.within <= 0 || now.Sub(it.at) <= x.within) {
			return
		}
		x.drop(x.first)
		x.first++
	}
}

// drop takes a number out of the bands; its place in the ring is kept until the window moves on.
func (x *Index) drop(n uint64) {
	it := &x.ring[n%uint64(x.size)]
	if it.gone {
		return
	}
	delete(x.byID, it.id)
	for i := range bands {
		b := it.sketch.band(i)
		numbers := x.bands[b]
		if at, ok := slices.BinarySearch(numbers, n); ok && at == 0 {
			numbers = numbers[1:] // the usual case: the oldest goes
		} else if ok {
			numbers = slices.Delete(numbers, at, at+1)
		}
		if len(numbers) == 0 {
			delete(x.bands, b)
		} else {
			x.bands[b] = numbers
		}
	}
	*it = item{gone: true}
}
