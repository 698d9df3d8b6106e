package audience

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/axiomhq/hyperloglog"

	"duyet/comments"
)

const (
	saltSize      = 16
	dayPrecision  = 16 // 65,536 registers: a standard error of 0.41 %
	slotPrecision = 14 // 16,384 registers: 0.81 %
	slotLength    = 30 * time.Second
	onlineFor     = 5 * time.Minute
	shareEvery    = 10 * time.Second
	recentHashes  = 1024
	agentBytes    = 512 // of a browser's name that count
)

// Day is a day of a site's own calendar, counted from 1970-01-01.
type Day int32

// dayOf is the day of t in a time zone.
func dayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// monday is the first day of the week that d is in (1970-01-01 was a Thursday).
func (d Day) monday() Day { return d - (d+3)%7 }

// site is what is held of one site. Its fields are guarded by mu.
type site struct {
	id string
	mu sync.Mutex

	zoneName string
	zone     *time.Location

	// of the day that is open
	isOpen   bool
	day      Day
	salts    Salts
	uniques  *hyperloglog.Sketch
	past     summary  // as the store knows it
	visitors estimate // of uniques
	online   [onlineSlots]slot
	present  estimate             // of those online
	slotNow  int64                // that the estimate was asked for in
	recent   [recentHashes]uint64 // visitors counted lately, by their hash's low bits

	// what waits to be written
	pages map[string]int64
	fresh map[Day]*hyperloglog.Sketch

	seen, loaded, shared time.Time
	loads, takenAt       int       // loads until now, and when what is being written was taken
	reload               bool      // past may lack or double what was just written
	gone                 bool      // forgotten; whoever holds it asks for the site anew
	retry                time.Time // the store is not asked before
	fault                error     // why it last couldn't answer
	told                 bool      // the fault is in the log
}

// estimate is a number that takes a while to work out. Where it is small it is exact, cheap
// and made anew after every visitor; where it is large, at most once in estimateEvery.
type estimate struct {
	n    int64
	at   time.Time
	good bool // nothing has come since
}

const (
	estimateEvery = time.Second
	estimateSmall = 500
)

// of is the number, worked out by count where it is due.
func (e *estimate) of(now time.Time, count func() int64) int64 {
	recent := e.n > estimateSmall && now.Sub(e.at) < estimateEvery && !now.Before(e.at)
	if !e.good && !recent {
		*e = estimate{count(), now, true}
	}
	return e.n
}

// onlineSlots cover five minutes and the slot that is being filled.
const onlineSlots = int(onlineFor/slotLength) + 1

// slot holds who was seen in one stretch of slotLength.
type slot struct {
	number int64
	seen   *hyperloglog.Sketch
	fresh  bool // not yet shared
}

func newSketch(precision uint8) *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, true)
	if err != nil {
		panic(err) // a precision from 4 to 18 makes none
	}
	return s
}

// today is the day it is in the site's own time zone.
func (s *site) today(in comments.Site, now time.Time) Day {
	if s.zone == nil || s.zoneName != in.Settings.Timezone {
		s.zoneName, s.zone = in.Settings.Timezone, in.Settings.Location()
	}
	return dayOf(now, s.zone)
}

// load takes what the store keeps. What was counted here of the same day stays.
func (s *site) load(day Day, kept State, now time.Time) error {
	uniques := newSketch(dayPrecision)
	if len(kept.Sketch) > 0 {
		if err := uniques.UnmarshalBinary(kept.Sketch); err != nil {
			return fmt.Errorf("audience of %s: %w: %w", s.id, err, comments.ErrDamaged)
		}
	}
	past, err := readSummary(kept.Summary)
	if err != nil {
		return err
	}
	if s.isOpen && s.day == day && s.salts == kept.Salts {
		if err := uniques.Merge(s.uniques); err != nil {
			return fmt.Errorf("audience of %s: %w", s.id, err)
		}
	} else {
		s.recent = [recentHashes]uint64{}
	}
	slots, err := readSlots(kept.Slots)
	if err != nil {
		return err
	}
	for _, k := range slots {
		if err := s.slotAt(k.number).Merge(k.seen); err != nil {
			return fmt.Errorf("audience of %s: %w", s.id, err)
		}
	}
	s.isOpen, s.day, s.salts, s.past, s.uniques = true, day, kept.Salts, past, uniques
	s.visitors, s.present = estimate{}, estimate{}
	s.loaded, s.reload, s.fault = now, false, nil
	s.loads++
	return nil
}

// visit counts a visitor of the day that is open.
func (s *site) visit(v Visit, now time.Time) {
	number := now.UnixNano() / int64(slotLength)
	s.slotAt(number).InsertHash(v.hash(s.salts.Live))
	s.present.good = false
	s.online[number%int64(onlineSlots)].fresh = true

	h := v.hash(s.salts.Day)
	if s.recent[h%recentHashes] == h {
		return
	}
	s.recent[h%recentHashes] = h
	s.uniques.InsertHash(h)
	s.visitors.good = false
	if s.fresh == nil {
		s.fresh = map[Day]*hyperloglog.Sketch{}
	}
	if s.fresh[s.day] == nil {
		s.fresh[s.day] = newSketch(dayPrecision)
	}
	s.fresh[s.day].InsertHash(h)
}

// slotAt is the sketch of a slot, emptied when it held an earlier one. A slot that is
// older than what stands in its place is not kept.
func (s *site) slotAt(number int64) *hyperloglog.Sketch {
	at := &s.online[number%int64(onlineSlots)]
	if at.number > number {
		return newSketch(slotPrecision)
	}
	if at.seen == nil || at.number != number {
		*at = slot{number: number, seen: newSketch(slotPrecision)}
	}
	return at.seen
}

func (s *site) counts(now time.Time) Counts {
	today := s.visitors.of(now, func() int64 { return int64(s.uniques.Estimate()) })
	// What the store counted of today is replaced by what is known here, which holds it.
	c := Counts{Today: today, PageViews: s.past.Views, Total: s.past.Total + today}
	monday := s.day.monday()
	for _, d := range s.past.Days {
		switch {
		case d.Day == s.day:
			c.Total -= d.Count
		case d.Day >= monday && d.Day < s.day:
			c.Week += d.Count
		}
	}
	c.Week += today
	for _, n := range s.pages {
		c.PageViews += n
	}
	if number := now.UnixNano() / int64(slotLength); number != s.slotNow {
		s.slotNow, s.present.good = number, false // somebody may have left
	}
	c.Online = s.present.of(now, func() int64 { return s.onlineNow(now) })
	return c
}

// onlineNow is how many were seen in the last five minutes, to half a minute.
func (s *site) onlineNow(now time.Time) int64 {
	oldest := now.Add(-onlineFor).UnixNano() / int64(slotLength)
	union := newSketch(slotPrecision)
	for _, at := range s.online {
		if at.seen != nil && at.number >= oldest {
			_ = union.Merge(at.seen) // of one precision
		}
	}
	return int64(union.Estimate())
}

// hash names a visitor under a salt: of the network (IPv4 address, IPv6 /64), the browser's
// name and, by the salt, the site.
func (v Visit) hash(salt [saltSize]byte) uint64 {
	b := make([]byte, 0, saltSize+16+1+agentBytes) // on the stack
	b = append(b, salt[:]...)
	b = append(b, networkOf(v.Addr)...)
	b = append(b, 0)
	b = append(b, v.UserAgent[:min(len(v.UserAgent), agentBytes)]...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}
