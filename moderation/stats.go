package moderation

import (
	"maps"
	"math"
	"slices"

	"duyet/comments"
)

// Spans counts how long things took, in buckets of seconds that grow by a fourth of a power
// of two: what is read from it is within 9.1 % of the truth, and any number of them add up.
type Spans map[int]int64

func bucketOf(seconds float64) int {
	if seconds <= 1 {
		return 0
	}
	return int(math.Round(math.Log2(seconds) * 4))
}

// Add counts n more that took as many seconds; n may be negative.
func (s Spans) Add(seconds float64, n int64) {
	b := bucketOf(seconds)
	if s[b] += n; s[b] == 0 {
		delete(s, b)
	}
}

// Merge counts all of another.
func (s Spans) Merge(t Spans) {
	for b, n := range t {
		if s[b] += n; s[b] == 0 {
			delete(s, b)
		}
	}
}

// Count is how many there are.
func (s Spans) Count() (n int64) {
	for _, k := range s {
		n += k
	}
	return n
}

// Quantile is how many seconds a share q, 0 to 1, of them took at most; 0 when there are none.
func (s Spans) Quantile(q float64) float64 {
	total := s.Count()
	if total == 0 {
		return 0
	}
	rank, seen := int64(math.Ceil(q*float64(total))), int64(0)
	for _, b := range slices.Sorted(maps.Keys(s)) {
		if seen += s[b]; seen >= max(rank, 1) {
			return math.Pow(2, float64(b)/4)
		}
	}
	return 0
}

// Flow is what came and what was decided in an hour.
type Flow struct {
	Arrived int64 `json:"a,omitempty"`
	Decided int64 `json:"d,omitempty"`
}

// Share is what became of a part of the comments: those that one moderator decided, that were
// refused for one reason, or of which one check gave a signal.
type Share struct {
	To   map[comments.Status]int64 `json:"to,omitempty"`
	Took Spans                     `json:"took,omitempty"`
}

// Decided is how many were decided.
func (s *Share) Decided() (n int64) {
	for _, k := range s.To {
		n += k
	}
	return n
}

// Counted is what happened on a site in a stretch of time. What a decision took is from when
// the comment last began to wait; a decision that was undone is not in it.
type Counted struct {
	Hours     [24]Flow                  `json:"hours"` // of the day, where the site is
	Arrived   int64                     `json:"arrived,omitempty"`
	Unasked   map[comments.Status]int64 `json:"unasked,omitempty"` // what arrived and had not to wait, by what became of it
	All       Share                     `json:"all"`
	By        map[string]*Share         `json:"by,omitempty"`      // moderator's id
	Reasons   map[string]*Share         `json:"reasons,omitempty"` // code of a refusal; "" = none was given
	Checks    map[string]*Share         `json:"checks,omitempty"`  // that had something against it
	Restored  int64                     `json:"restored,omitempty"`
	Undone    int64                     `json:"undone,omitempty"`
	Appealed  int64                     `json:"appealed,omitempty"`
	Upheld    int64                     `json:"upheld,omitempty"`  // appeals in vain
	Granted   int64                     `json:"granted,omitempty"` // appeals that were heard
	Reported  int64                     `json:"reported,omitempty"`
	Reworded  int64                     `json:"reworded,omitempty"` // by the newsroom
	Withdrawn int64                     `json:"withdrawn,omitempty"`
}

// Merge counts all of another.
func (c *Counted) Merge(d Counted) {
	for h := range c.Hours {
		c.Hours[h].Arrived += d.Hours[h].Arrived
		c.Hours[h].Decided += d.Hours[h].Decided
	}
	c.Arrived += d.Arrived
	c.Unasked = mergeCounts(c.Unasked, d.Unasked)
	c.All.merge(&d.All)
	mergeShares(&c.By, d.By)
	mergeShares(&c.Reasons, d.Reasons)
	mergeShares(&c.Checks, d.Checks)
	c.Restored += d.Restored
	c.Undone += d.Undone
	c.Appealed += d.Appealed
	c.Upheld += d.Upheld
	c.Granted += d.Granted
	c.Reported += d.Reported
	c.Reworded += d.Reworded
	c.Withdrawn += d.Withdrawn
}

func (s *Share) merge(t *Share) {
	s.To = mergeCounts(s.To, t.To)
	if s.Took == nil {
		s.Took = Spans{}
	}
	s.Took.Merge(t.Took)
}

func (s *Share) empty() bool { return len(s.To) == 0 && len(s.Took) == 0 }

func mergeCounts(a, b map[comments.Status]int64) map[comments.Status]int64 {
	if a == nil {
		a = map[comments.Status]int64{}
	}
	for k, n := range b {
		if a[k] += n; a[k] == 0 {
			delete(a, k)
		}
	}
	return a
}

func mergeShares(a *map[string]*Share, b map[string]*Share) {
	if *a == nil {
		*a = map[string]*Share{}
	}
	for k, share := range b {
		at := (*a)[k]
		if at == nil {
			at = &Share{}
			(*a)[k] = at
		}
		if at.merge(share); at.empty() {
			delete(*a, k)
		}
	}
}
