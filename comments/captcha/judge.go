package captcha

import (
	"container/heap"
	"context"
	"crypto/subtle"
	"errors"
	"sync"
	"time"
	"unicode"

	"duyet/comments"
)

// DeadMost is how many dead tickets a Judge remembers by default, in about 11 MB (at 54 bytes each).
// With the default limits one network kills 30 tickets a minute, so within the half hour
// that a ticket lives it takes 200 networks to fill it.
const DeadMost = 200_000

// stripes is how many locks tickets are spread over.
const stripes = 64

// typedMost bounds the bytes of a typed code that are looked at.
const typedMost = 256

// Judge compares typed codes and remembers, in memory alone, the tickets that a wrong
// answer killed. It is safe for concurrent use and implements comments.Judge.
//
// A ticket is remembered until it expires. When a stripe of the memory is full, the one
// that would be forgotten soonest makes room: it could be tried once more in what little
// is left of its time.
type Judge struct {
	now    func() time.Time
	stripe [stripes]stripe
}

// stripe is one lock's share of the dead.
type stripe struct {
	mu   sync.Mutex
	most int
	dead map[comments.TicketID]struct{}
	soon byExpiry
}

// NewJudge makes a Judge that remembers at most most dead tickets (at least one for each
// of its 64 locks).
func NewJudge(most int, now func() time.Time) *Judge {
	j := &Judge{now: now}
	for i := range j.stripe {
		j.stripe[i].most = max(1, most/stripes)
		j.stripe[i].dead = make(map[comments.TicketID]struct{})
	}
	return j
}

// Judge compares in constant time and kills the ticket when the code is wrong, both under
// the ticket's lock: of any number of racing guesses one is looked at, unless it is right.
// Decimal digits of every script count, so full width does, with any spaces between; any
// other character makes the code wrong. An error is the context's.
func (j *Judge) Judge(ctx context.Context, t comments.Ticket, typed string) (comments.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return comments.VerdictDead, err
	}
	if len(t.Digits) == 0 {
		return comments.VerdictDead, errors.New("a ticket without digits")
	}
	s := j.of(t.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, dead := s.dead[t.ID]; dead {
		return comments.VerdictDead, nil
	}
	if Matches(t.Digits, typed) {
		return comments.VerdictRight, nil
	}
	s.kill(t, j.now())
	return comments.VerdictWrong, nil
}

// Dead reports whether a wrong answer killed the ticket. An error is the context's.
func (j *Judge) Dead(ctx context.Context, id comments.TicketID) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s := j.of(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, dead := s.dead[id]
	return dead, nil
}

// of spreads tickets by a byte of their random id.
func (j *Judge) of(id comments.TicketID) *stripe { return &j.stripe[id[0]%stripes] }

func (s *stripe) kill(t comments.Ticket, now time.Time) {
	for len(s.soon) > 0 && (len(s.soon) >= s.most || s.soon[0].expires <= now.UnixMilli()) {
		delete(s.dead, heap.Pop(&s.soon).(death).id)
	}
	s.dead[t.ID] = struct{}{}
	heap.Push(&s.soon, death{t.Expires.UnixMilli(), t.ID})
}

// Matches compares a typed code with digits, without telling by its time how far it was
// right. Decimal digits of every script count, with any spaces between.
func Matches(digits []byte, typed string) bool {
	if len(typed) > typedMost {
		return false
	}
	read := make([]byte, 0, Digits)
	for _, r := range typed {
		if unicode.IsSpace(r) {
			continue
		}
		d, ok := decimal(r)
		if !ok {
			return false
		}
		read = append(read, d)
	}
	return subtle.ConstantTimeCompare(read, digits) == 1
}

// decimal is the value of a decimal digit of any script. Unicode keeps each ten together,
// from zero to nine.
func decimal(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r - '0'), true
	}
	for _, block := range unicode.Nd.R16 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return byte((r - rune(block.Lo)) % 10), true
		}
	}
	for _, block := range unicode.Nd.R32 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return byte((r - rune(block.Lo)) % 10), true
		}
	}
	return 0, false
}

// death is a dead ticket; byExpiry is a heap of them, the next to expire on top.
type death struct {
	expires int64 // Unix milliseconds
	id      comments.TicketID
}

type byExpiry []death

func (h byExpiry) Len() int           { return len(h) }
func (h byExpiry) Less(i, j int) bool { return h[i].expires < h[j].expires }
func (h byExpiry) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byExpiry) Push(x any)        { *h = append(*h, x.(death)) }

func (h *byExpiry) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
