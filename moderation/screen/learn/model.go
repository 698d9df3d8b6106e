// Package learn is a classifier that learns from a newsroom's own decisions, one at a time.
//
// It is logistic regression over hashed words and pieces of words, Vietnamese with and without
// its diacritics among them, beside a count of how the words were decided (see count.go).
// Learning is dual coordinate ascent: each example has a coefficient
// of its own, and the weights are the sum of the examples scaled by theirs (Shalev-Shwartz and
// Zhang, Stochastic Dual Coordinate Ascent, JMLR 2013; Yu, Huang and Lin, Dual Coordinate Descent
// Methods for Logistic Regression, Machine Learning 2011). So a decision that is undone is
// subtracted at once, with all that it ever added. A bounded memory of recent examples is gone
// over a little with each new one, which takes one pass close to what many passes would reach.
//
// Nothing here reads a clock, a network or true randomness: the same examples in the same order
// make the same model, bit by bit. A model holds hashes of words, never the words.
package learn

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sync"
)

const (
	capacity    = 512     // examples in memory
	hitCapacity = 400_000 // values in memory, whatever the number of examples
	ledgerSize  = 8192    // examples that left memory and can still be undone nearly
	replays     = 10      // examples of memory gone over with each new one
	trust       = 2.0     // the most that one example may weigh (C of LIBLINEAR)
)

// ErrUnknown tells that an example to be undone was never learnt, or too long ago.
var ErrUnknown = errors.New("example not known")

// Example is a comment and what was decided. Positive is whatever the model is to find: spam,
// a toxic comment, one worth a reader's time.
type Example struct {
	ID       string // of the decided comment; without one, only the text tells it from others
	Text     string
	Positive bool
}

func (e Example) key() uint64 {
	h := fnv.New64a()
	if e.ID != "" {
		h.Write([]byte(e.ID))
	} else {
		h.Write([]byte(e.Text))
	}
	return h.Sum64()
}

// memory is an example as it was when it was learnt.
type memory struct {
	key    uint64
	x      vector
	square float64
	share  float64 // its coefficient, 0 to trust
	sign   float64 // +1 or -1
}

// entry is what is left of an example that fell out of memory.
type entry struct {
	key   uint64
	share float64 // with its sign
}

// Model is a classifier. It is safe for concurrent use. It takes about 6 MB.
type Model struct {
	mu      sync.RWMutex
	weights []float32
	bias    float64
	df      []uint32 // in how many texts a bucket occurred
	texts   uint64
	counts  counts
	learnt  uint64 // examples ever learnt; places the replay
	inMind  []memory
	hits    int // values in inMind
	ledger  []entry
	recent  history
	scratch sync.Pool // *extractor
}

// New is a model that knows nothing: it finds every text equally likely.
func New() *Model {
	return &Model{
		weights: make([]float32, buckets),
		df:      make([]uint32, buckets),
		counts:  newCounts(),
		recent:  newHistory(),
		scratch: sync.Pool{New: func() any { return new(extractor) }},
	}
}

// Fork is a model of its own that starts with all that m knows. What m learnt can't be undone
// in it, and its history begins anew.
func (m *Model) Fork() *Model {
	m.mu.RLock()
	defer m.mu.RUnlock()
	f := New()
	copy(f.weights, m.weights)
	copy(f.df, m.df)
	f.bias, f.texts = m.bias, m.texts
	f.counts = m.counts.clone()
	f.recent.calibration, f.recent.prior = m.recent.calibration, m.recent.calibration
	return f
}

// ForkPrior is Fork without what m counted, for a site that was taught by others' decisions:
// counts are slow to change their mind, weights are not.
func (m *Model) ForkPrior() *Model {
	f := m.Fork()
	f.counts = newCounts()
	return f
}

// Learnt is the number of decisions learnt and not undone, a Fork's beginnings not counted.
func (m *Model) Learnt() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return int(m.learnt)
}

// Learn takes a decision in. One with the ID of an earlier one takes its place; those
// without an ID are always new. The text
// is looked at for its first 400 words and signs.
func (m *Model) Learn(e Example) {
	x := m.scratch.Get().(*extractor)
	defer m.scratch.Put(x)
	x.read(e.Text)

	m.mu.Lock()
	defer m.mu.Unlock()
	key := e.key()
	if e.ID != "" {
		_ = m.forget(key, x) // ErrUnknown is the usual case: it is new
	}

	before := x.appendVector(vector{}, m.df, m.texts)
	m.recent.add(key, m.margin(before)+m.counts.margin(before), e.Positive)

	m.count(before, 1)
	m.counts.add(before, e.Positive, 1)
	m.texts++
	m.learnt++
	v := x.appendVector(vector{}, m.df, m.texts)
	v.at, v.val = slices.Clip(v.at), slices.Clip(v.val)
	item := memory{key: key, x: v, square: v.square(), sign: -1}
	if e.Positive {
		item.sign = 1
	}
	m.ascend(&item)
	m.remember(item)
	for i := range uint64(replays) {
		at := mix(m.learnt*replays+i) % uint64(len(m.inMind))
		m.ascend(&m.inMind[at])
	}
	if m.learnt%calibrateEvery == 0 {
		m.recent.calibrate()
	}
}

// Unlearn undoes a decision: what the example added is subtracted at once, and the examples in
// memory are gone over once, so that they no longer lean against it. For one of the last few
// hundred the subtraction is exact but for rounding; for an older one its words are weighed as
// they would be today, which is close. Building the model anew from the decisions is exact. The
// error is ErrUnknown, and nothing changes, for an example that was never learnt or that more
// than eight thousand have followed. Text must be that of Learn.
func (m *Model) Unlearn(e Example) error {
	x := m.scratch.Get().(*extractor)
	defer m.scratch.Put(x)
	x.read(e.Text)

	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forget(e.key(), x)
}

func (m *Model) forget(key uint64, x *extractor) error {
	if i := slices.IndexFunc(m.inMind, func(it memory) bool { return it.key == key }); i >= 0 {
		it := m.inMind[i]
		m.add(it.x, -it.share*it.sign)
		m.count(it.x, -1)
		m.counts.add(it.x, it.sign > 0, -1)
		m.hits -= len(it.x.at)
		m.inMind = slices.Delete(m.inMind, i, i+1)
	} else if i := slices.IndexFunc(m.ledger, func(en entry) bool { return en.key == key }); i >= 0 {
		v := x.appendVector(vector{}, m.df, m.texts)
		m.add(v, -m.ledger[i].share)
		m.count(v, -1)
		m.counts.add(v, m.ledger[i].share > 0, -1)
		m.ledger = slices.Delete(m.ledger, i, i+1)
	} else {
		return fmt.Errorf("unlearn: %w", ErrUnknown)
	}
	m.texts--
	m.learnt--
	m.recent.remove(key)
	for i := range m.inMind {
		m.ascend(&m.inMind[i])
	}
	return nil
}

// count counts the texts in which a bucket occurs, up or down.
func (m *Model) count(v vector, by int) {
	for _, b := range v.at {
		if b < styles {
			continue
		}
		if by > 0 {
			m.df[b]++
		} else if m.df[b] > 0 {
			m.df[b]--
		}
	}
}

// remember puts an example into memory. When it is full, the oldest of the commoner answer
// leaves, so that the rarer one keeps up to half of the places.
func (m *Model) remember(item memory) {
	m.inMind = append(m.inMind, item)
	m.hits += len(item.x.at)
	for len(m.inMind) > capacity || m.hits > hitCapacity && len(m.inMind) > 1 {
		positive := 0
		for _, it := range m.inMind {
			if it.sign > 0 {
				positive++
			}
		}
		common := -1.0
		if 2*positive > len(m.inMind) {
			common = 1
		}
		i := slices.IndexFunc(m.inMind, func(it memory) bool { return it.sign == common })
		out := m.inMind[max(i, 0)]
		m.hits -= len(out.x.at)
		m.inMind = slices.Delete(m.inMind, max(i, 0), max(i, 0)+1)
		if len(m.ledger) == ledgerSize {
			m.ledger = slices.Delete(m.ledger, 0, 1)
		}
		m.ledger = append(m.ledger, entry{out.key, out.share * out.sign})
	}
}

func (m *Model) margin(v vector) float64 {
	sum := m.bias
	for i, b := range v.at {
		sum += float64(m.weights[b]) * float64(v.value(i))
	}
	return sum
}

func (m *Model) add(v vector, by float64) {
	m.bias += by
	for i, b := range v.at {
		m.weights[b] += float32(by * float64(v.value(i)))
	}
}

// ascend sets one example's share to the best there is while all others stand: the z in
// (0, trust) where margin·sign + square·(z-share) + log(z/(trust-z)) is zero, by Newton's method
// kept within a shrinking bracket.
func (m *Model) ascend(it *memory) {
	const least = 1e-9
	margin := it.sign * m.margin(it.x)
	low, high := least, trust-least
	z := it.share
	if z <= low || z >= high {
		z = min(max(trust*sigmoid(-margin), 2*low), high-low)
	}
	for range 40 {
		slope := margin + it.square*(z-it.share) + math.Log(z/(trust-z))
		if slope > 0 {
			high = z
		} else {
			low = z
		}
		to := z - slope/(it.square+trust/(z*(trust-z)))
		if to <= low || to >= high {
			to = (low + high) / 2
		}
		done := math.Abs(to-z) < 1e-7
		if z = to; done {
			break
		}
	}
	m.add(it.x, (z-it.share)*it.sign)
	it.share = z
}

// mix is a step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
