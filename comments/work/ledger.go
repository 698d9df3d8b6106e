package work

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// LedgerMost is how many challenges a Memory remembers by default, in about 25 MB.
const LedgerMost = 200_000

// Memory remembers challenges in this process alone, until they expire. When it is full,
// the one that would be forgotten soonest makes room: it could be brought once more in
// what little is left of its time. It is safe for concurrent use and implements Ledger.
type Memory struct {
	most int
	now  func() time.Time

	mu   sync.Mutex
	seen map[[nonceSize]byte]bool // whether it is Solved
	soon byExpiry
}

// NewMemory makes a Memory of at most most challenges.
func NewMemory(most int, now func() time.Time) *Memory {
	return &Memory{most: max(1, most), now: now, seen: make(map[[nonceSize]byte]bool)}
}

// Take implements Ledger; it has no errors.
func (m *Memory) Take(_ context.Context, id [nonceSize]byte, expires time.Time) (Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	solved, known := m.seen[id]
	if known {
		if !solved {
			return Spent, nil
		}
		m.seen[id] = false
		return Solved, nil
	}
	for len(m.soon) > 0 && (len(m.soon) >= m.most || !m.soon[0].expires.After(m.now())) {
		delete(m.seen, heap.Pop(&m.soon).(brought).id)
	}
	m.seen[id] = false
	heap.Push(&m.soon, brought{expires, id})
	return Fresh, nil
}

// Return implements Ledger; it has no errors.
func (m *Memory) Return(_ context.Context, id [nonceSize]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.seen[id]; known {
		m.seen[id] = true
	}
	return nil
}

// brought is a challenge that somebody brought; byExpiry is a heap of them, the next to
// expire on top.
type brought struct {
	expires time.Time
	id      [nonceSize]byte
}

type byExpiry []brought

func (h byExpiry) Len() int           { return len(h) }
func (h byExpiry) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h byExpiry) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byExpiry) Push(x any)        { *h = append(*h, x.(brought)) }

func (h *byExpiry) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
