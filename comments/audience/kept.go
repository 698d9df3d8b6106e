package audience

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/axiomhq/hyperloglog"

	"duyet/comments"
)

// daysKept is how many days' counts a summary lists: a week and the days around it.
const daysKept = 9

// summary is a site's Kept.Summary.
type summary struct {
	Views    int64   `json:"views"` // of all its pages
	Total    int64   `json:"total"` // visitors: the sum of the counts of all days
	Days     []count `json:"days"`  // the latest, ascending
	SaltDay  Day     `json:"salt_day"`
	Salt     []byte  `json:"salt"`
	SaltLive []byte  `json:"salt_live"`
}

type count struct {
	Day   Day   `json:"day"`
	Count int64 `json:"count"`
}

func readSummary(b []byte) (s summary, err error) {
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("audience: %w: %w", err, comments.ErrDamaged)
	}
	return s, nil
}

// Open makes what is kept ready for a day: it returns the salts to use, and whether k.Summary
// changed because they are the proposed ones. A day before the one that has salts gets
// that one's, since its own are gone.
func (k *Kept) Open(day Day, proposed Salts) (_ Salts, changed bool, err error) {
	s, err := readSummary(k.Summary)
	if err != nil {
		return Salts{}, false, err
	}
	if len(s.Salt) != saltSize || s.SaltDay < day {
		s.SaltDay, s.Salt, changed = day, proposed.Day[:], true
	}
	if len(s.SaltLive) != saltSize {
		s.SaltLive, changed = proposed.Live[:], true
	}
	if changed {
		if k.Summary, err = json.Marshal(s); err != nil {
			return Salts{}, false, fmt.Errorf("audience: %w", err)
		}
	}
	return Salts{[saltSize]byte(s.Salt), [saltSize]byte(s.SaltLive)}, changed, nil
}

// Merge takes a delta into what is kept of its site and day. Parts that stay the same keep
// their very slice, so a store may write only what changed. On an error k is unchanged.
func (k *Kept) Merge(d Delta) error {
	out := *k
	s, err := readSummary(k.Summary)
	if err != nil {
		return err
	}
	views := s.Views
	for _, n := range d.Pages {
		s.Views += n
	}
	same := s.Views == views
	if d.Sketch != nil {
		merged, n, err := mergeSketch(k.Sketch, d.Sketch)
		if err != nil {
			return err
		}
		if !bytes.Equal(merged, k.Sketch) {
			out.Sketch, same = merged, false
			s.setDay(d.Day, n)
		}
	}
	if d.Slots != nil {
		if out.Slots, err = mergeSlots(k.Slots, d.Slots); err != nil {
			return err
		}
	}
	if !same {
		if out.Summary, err = json.Marshal(s); err != nil {
			return fmt.Errorf("audience: %w", err)
		}
	}
	*k = out
	return nil
}

// setDay notes how many visitors a day has by now. A day that has left the list was counted
// when it was on it, and no delta that late comes.
func (s *summary) setDay(day Day, n int64) {
	i, found := slices.BinarySearchFunc(s.Days, day, func(c count, d Day) int { return cmp.Compare(c.Day, d) })
	switch {
	case found:
		n = max(n, s.Days[i].Count) // a count never falls, though an estimate may by a hair
		s.Total += n - s.Days[i].Count
		s.Days[i].Count = n
	case i == 0 && len(s.Days) == daysKept:
	default:
		s.Total += n
		s.Days = slices.Insert(s.Days, i, count{day, n})
	}
	s.Days = s.Days[max(0, len(s.Days)-daysKept):]
}

// mergeSketch is the union of two sketches, in bytes, and its estimate.
func mergeSketch(kept, more []byte) ([]byte, int64, error) {
	sketch := newSketch(dayPrecision)
	for _, b := range [][]byte{kept, more} {
		if len(b) == 0 {
			continue
		}
		var one hyperloglog.Sketch
		if err := one.UnmarshalBinary(b); err != nil {
			return nil, 0, fmt.Errorf("audience: %w: %w", err, comments.ErrDamaged)
		}
		if err := sketch.Merge(&one); err != nil {
			return nil, 0, fmt.Errorf("audience: %w: %w", err, comments.ErrDamaged)
		}
	}
	n := int64(sketch.Estimate()) // also makes the encoding below the same for the same visitors
	b, err := sketch.MarshalBinary()
	if err != nil {
		return nil, 0, fmt.Errorf("audience: %w", err)
	}
	return b, n, nil
}

// keptSlot is one slot of who is online, as it is written.
type keptSlot struct {
	Number int64  `json:"number"`
	Sketch []byte `json:"sketch"`
}

// freshSlots are the slots with visitors not yet shared, in bytes; nil when there are none.
func (s *site) freshSlots() ([]byte, error) {
	var list []slot
	for i := range s.online {
		if at := &s.online[i]; at.fresh {
			list = append(list, *at)
			at.fresh = false
		}
	}
	if list == nil {
		return nil, nil
	}
	return writeSlots(list)
}

func writeSlots(list []slot) ([]byte, error) {
	out := make([]keptSlot, len(list))
	for i, at := range list {
		at.seen.Estimate() // packs it
		b, err := at.seen.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("audience: %w", err)
		}
		out[i] = keptSlot{at.number, b}
	}
	return json.Marshal(out)
}

func readSlots(b []byte) ([]slot, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var in []keptSlot
	err := json.Unmarshal(b, &in)
	list := make([]slot, len(in))
	for i, k := range in {
		list[i] = slot{number: k.Number, seen: &hyperloglog.Sketch{}}
		if err == nil {
			err = list[i].seen.UnmarshalBinary(k.Sketch)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("audience: %w: %w", err, comments.ErrDamaged)
	}
	return list, nil
}

// mergeSlots is the union of two lists of slots, slot by slot, of the latest five minutes.
func mergeSlots(kept, more []byte) ([]byte, error) {
	a, err := readSlots(kept)
	if err != nil {
		return nil, err
	}
	b, err := readSlots(more)
	if err != nil {
		return nil, err
	}
	for _, at := range b {
		i := slices.IndexFunc(a, func(x slot) bool { return x.number == at.number })
		if i < 0 {
			a = append(a, at)
		} else if err := a[i].seen.Merge(at.seen); err != nil {
			return nil, fmt.Errorf("audience: %w: %w", err, comments.ErrDamaged)
		}
	}
	slices.SortFunc(a, func(x, y slot) int { return cmp.Compare(x.number, y.number) })
	return writeSlots(a[max(0, len(a)-onlineSlots):])
}
