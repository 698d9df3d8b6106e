package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"duyet/comments"
)

// Documents in which is counted what happened: one a day (its date is the id), and how far
// the journal has been counted.
const (
	kindStats      = "stats"
	kindStatsState = "stats_state"
	statsState     = "state"
)

const (
	statsChunk = 500             // events counted at once
	statsRest  = 2 * time.Second // between two looks at the journals
	dateForm   = "2006-01-02"
)

// statsDay is a day as it is kept. What stands at or before Seq in the journal is in it, so
// that a chunk which is counted once more, after a crash, adds nothing.
type statsDay struct {
	Seq uint64 `json:"seq"`
	Counted
	version uint64
}

// statsCursor is how far a journal has been counted, and where the site was meanwhile: a day
// is a day of the zone that held when it was counted.
type statsCursor struct {
	Seq     uint64      `json:"seq"`
	Zones   []statsZone `json:"zones"`
	version uint64
}

// statsZone is the site's time zone from a place in its journal on.
type statsZone struct {
	Seq  uint64 `json:"seq"`
	Name string `json:"name"`
}

// in is the zone in which an event is counted.
func (c *statsCursor) in(seq uint64) (*time.Location, error) {
	name := c.Zones[0].Name
	for _, z := range c.Zones {
		if z.Seq <= seq {
			name = z.Name
		}
	}
	return time.LoadLocation(name)
}

// change is what one event adds to a day.
type change struct {
	seq uint64
	Counted
}

func (s *Service) observeStats(c comments.Commit) {
	if e := c.Event; e.Site != comments.Installation {
		s.statsMu.Lock()
		s.statsDue[e.Site] = true
		s.statsMu.Unlock()
		select {
		case s.statsWake <- struct{}{}:
		default:
		}
	}
}

// CountStats counts what the journals tell until ctx is done, on one node at a time. failed is
// told of what went wrong; it is tried again.
func (s *Service) CountStats(ctx context.Context, failed func(error)) error {
	sites, err := s.cfg.Sites.Sites(ctx)
	if err != nil && ctx.Err() == nil {
		failed(err)
	}
	s.statsMu.Lock()
	for _, site := range sites {
		s.statsDue[site.ID] = true
	}
	s.statsMu.Unlock()
	for {
		s.statsMu.Lock()
		due := slices.Sorted(maps.Keys(s.statsDue))
		clear(s.statsDue)
		s.statsMu.Unlock()
		for _, site := range due {
			if err := s.CountSite(ctx, site); err != nil && ctx.Err() == nil && !errors.Is(err, comments.ErrUnknownSite) {
				failed(fmt.Errorf("counting what happens on %s: %w", site, err))
				s.statsMu.Lock()
				s.statsDue[site] = true
				s.statsMu.Unlock()
			}
		}
		rest := time.NewTimer(statsRest) // what comes meanwhile is counted together
		select {
		case <-ctx.Done():
			rest.Stop()
			return nil
		case <-rest.C:
		}
		if s.statsLeft() {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.statsWake:
		}
	}
}

func (s *Service) statsLeft() bool {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	return len(s.statsDue) > 0
}

// CountSite counts a site's journal to its end.
func (s *Service) CountSite(ctx context.Context, id string) error {
	site, err := s.cfg.Comments.Site(ctx, id)
	if err != nil {
		return err
	}
	cursor, err := s.statsCursor(ctx, id)
	if err != nil {
		return err
	}
	if name := site.Settings.Location().String(); len(cursor.Zones) == 0 || cursor.Zones[len(cursor.Zones)-1].Name != name {
		cursor.Zones = append(cursor.Zones, statsZone{cursor.Seq + 1, name})
	}
	for ctx.Err() == nil {
		events, err := s.cfg.Journal.Events(ctx, id, cursor.Seq, statsChunk)
		if err != nil || len(events) == 0 {
			return err
		}
		days := map[string][]change{}
		for _, e := range events {
			if err := s.countEvent(ctx, &cursor, e, days); err != nil {
				return err
			}
		}
		last := events[len(events)-1].Seq
		for _, date := range slices.Sorted(maps.Keys(days)) {
			if err := s.addToDay(ctx, id, date, days[date]); err != nil {
				return err
			}
		}
		cursor.Seq = last
		data, err := json.Marshal(cursor)
		if err != nil {
			return err
		}
		d, err := s.cfg.Store.PutDocument(ctx, Document{Site: id, Kind: kindStatsState, ID: statsState, Version: cursor.version, Data: data, By: comments.ActorSystem}, "")
		if err != nil {
			return err
		}
		cursor.version = d.Version
	}
	return ctx.Err()
}

func (s *Service) statsCursor(ctx context.Context, site string) (c statsCursor, err error) {
	d, err := s.cfg.Store.Document(ctx, site, kindStatsState, statsState)
	if errors.Is(err, comments.ErrNotFound) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Data, &c)
	}
	c.version = d.Version
	return c, err
}

func (s *Service) statsDay(ctx context.Context, site, date string) (day statsDay, err error) {
	d, err := s.cfg.Store.Document(ctx, site, kindStats, date)
	if errors.Is(err, comments.ErrNotFound) {
		return day, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Data, &day)
	}
	day.version = d.Version
	return day, err
}

// addToDay adds what isn't in a day yet.
func (s *Service) addToDay(ctx context.Context, site, date string, changes []change) error {
	day, err := s.statsDay(ctx, site, date)
	if err != nil {
		return err
	}
	before := day.Seq
	for _, c := range changes {
		if c.seq > before {
			day.Merge(c.Counted)
			day.Seq = max(day.Seq, c.seq)
		}
	}
	if day.Seq == before {
		return nil
	}
	data, err := json.Marshal(day)
	if err != nil {
		return err
	}
	_, err = s.cfg.Store.PutDocument(ctx, Document{Site: site, Kind: kindStats, ID: date, Version: day.version, Data: data, By: comments.ActorSystem}, "")
	return err
}

// countEvent adds what an event tells to its day, and what an undo takes back to the day of
// what it undoes.
func (s *Service) countEvent(ctx context.Context, cursor *statsCursor, e comments.Transition, days map[string][]change) error {
	if e.Event.Comment == "" {
		return nil
	}
	at, err := cursor.at(e)
	if err != nil {
		return err
	}
	add := func(at time.Time, c Counted) {
		date := at.Format(dateForm)
		days[date] = append(days[date], change{e.Seq, c})
	}
	var c Counted
	switch e.Kind {
	case comments.KindSubmitted:
		if e.Actor != comments.ActorReader { // the newsroom's own answers
			return nil
		}
		c.Arrived, c.Hours[at.Hour()].Arrived = 1, 1
		if e.To != comments.Pending {
			c.Unasked = map[comments.Status]int64{e.To: 1}
		}
	case comments.KindAppealed:
		c.Appealed = 1
	case comments.KindReported:
		c.Reported = 1
	case comments.KindWithdrawn:
		c.Withdrawn = 1
	case KindCorrected, KindMasked:
		c.Reworded = 1
	case KindRestored:
		c.Restored = 1
	case comments.KindDecided:
		if c, err = s.countDecision(ctx, at, e, e.Seq, 1); err != nil {
			return err
		}
	case KindUndone:
		c.Undone = 1
		undone, sign, err := s.undoneBy(ctx, e)
		if err != nil {
			return err
		}
		if undone != nil && undone.Kind == comments.KindDecided {
			then, err := cursor.at(*undone)
			if err != nil {
				return err
			}
			back, err := s.countDecision(ctx, then, *undone, e.Seq, sign)
			if err != nil {
				return err
			}
			add(then, back)
		}
	default:
		return nil
	}
	add(at, c)
	return nil
}

// at is when an event was, where the site was then.
func (c *statsCursor) at(e comments.Transition) (time.Time, error) {
	zone, err := c.in(e.Seq)
	if err != nil {
		return time.Time{}, err
	}
	return e.At.In(zone), nil
}

// undoneBy is the event that an undo takes back, or that an undo of an undo brings back: sign
// is -1 or 1.
func (s *Service) undoneBy(ctx context.Context, e comments.Transition) (undone *comments.Transition, sign int64, err error) {
	history, err := s.history(ctx, e.Event.Comment)
	if err != nil {
		return nil, 0, err
	}
	sign = -1
	for want := e.Version - 1; want > 0; want-- {
		i := slices.IndexFunc(history, func(t comments.Transition) bool { return t.Version == want && t.Seq < e.Seq && moves(t) })
		if i < 0 {
			return nil, 0, nil
		}
		if history[i].Kind != KindUndone {
			return &history[i], sign, nil
		}
		sign = -sign
	}
	return nil, 0, nil
}

// moves reports whether an event has moved its comment's version.
func moves(t comments.Transition) bool {
	return t.Kind != comments.KindReported && t.Kind != KindNoted
}

func (s *Service) history(ctx context.Context, id comments.ID) ([]comments.Transition, error) {
	history, err := s.cfg.Journal.History(ctx, id)
	if errors.Is(err, comments.ErrNotFound) {
		return nil, nil
	}
	return history, err
}

// countDecision is what a decision made at a time adds, n times, by the word of the event seq:
// its own, or an undo's. What its author has edited since has other signals than were decided
// on, so it is then left out of the count by signal.
func (s *Service) countDecision(ctx context.Context, at time.Time, e comments.Transition, seq uint64, n int64) (c Counted, err error) {
	history, err := s.history(ctx, e.Event.Comment)
	if err != nil {
		return c, err
	}
	var took Spans
	if since, ok := waitingSince(history, e); ok {
		took = Spans{}
		took.Add(e.At.Sub(since).Seconds(), n)
	}
	share := func() *Share { return &Share{To: map[comments.Status]int64{e.To: n}, Took: maps.Clone(took)} }
	c.All = *share()
	c.Hours[at.Hour()].Decided = n
	c.By = map[string]*Share{e.Actor: share()}
	if e.To == comments.Rejected || e.To == comments.Spam || e.To == comments.Trashed {
		c.Reasons = map[string]*Share{e.Event.Reason: share()}
	}
	c.Checks = map[string]*Share{}
	comment, err := s.cfg.Pages.Comment(ctx, e.Event.Comment)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return c, err
	}
	if slices.ContainsFunc(history, func(t comments.Transition) bool { return t.Kind == comments.KindEdited && t.Seq > seq }) {
		comment.Signals = nil
	}
	for _, signal := range comment.Signals {
		if signal.Level != comments.LevelInfo && c.Checks[signal.Check] == nil {
			c.Checks[signal.Check] = share()
		}
	}
	if appealed(history, e) {
		if e.To == comments.Approved {
			c.Granted = n
		} else {
			c.Upheld = n
		}
	}
	return c, nil
}

// waitingSince is when a comment began to wait for a decision; ok is false for one that did
// not wait, such as an approval taken back.
func waitingSince(history []comments.Transition, e comments.Transition) (since time.Time, ok bool) {
	if e.From != comments.Pending {
		return since, false
	}
	for _, t := range history {
		if t.Seq >= e.Seq {
			break
		}
		switch {
		case t.To == comments.Pending && t.From != comments.Pending:
			since, ok = t.At, true
		case t.To != comments.Pending && t.From != t.To:
			ok = false
		}
	}
	return since, ok
}

// appealed reports whether a decision was about an appeal: one that no decision has answered
// which still stands.
func appealed(history []comments.Transition, e comments.Transition) bool {
	open, before := false, false
	for _, t := range history {
		if t.Seq >= e.Seq {
			break
		}
		switch t.Kind {
		case comments.KindAppealed:
			open, before = true, open
		case comments.KindDecided:
			open, before = false, open
		case KindUndone:
			open, before = before, open
		default:
			if moves(t) {
				before = open
			}
		}
	}
	return open
}
