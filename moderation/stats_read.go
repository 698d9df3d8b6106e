package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"duyet/comments"
)

// StatsPeriod is a stretch of time that ends now.
type StatsPeriod string

// Periods.
const (
	StatsToday StatsPeriod = "today" // since midnight, where the site is
	StatsWeek  StatsPeriod = "week"  // seven days with today
	StatsMonth StatsPeriod = "month" // thirty days
	StatsYear  StatsPeriod = "year"  // twelve months
)

// StatsPeriods are all of them.
var StatsPeriods = [...]StatsPeriod{StatsToday, StatsWeek, StatsMonth, StatsYear}

// StatsPoint is a part of a period: an hour of today and of a week, a day of a month, a month
// of a year.
type StatsPoint struct {
	At   time.Time // its beginning
	Flow Flow
}

// StatsPart is a day, a month or a longer part with all that was counted.
type StatsPart struct {
	From time.Time
	Counted
}

// Stats is how a site's moderation is doing.
type Stats struct {
	Period  StatsPeriod
	From    time.Time
	Points  []StatsPoint
	Parts   []StatsPart // days; months of a year
	Total   Counted
	Waiting int64     // now
	Oldest  time.Time // since when the one waits that waits longest; zero = none waits
	Behind  bool      // the journal goes on beyond what is counted
}

// Stats reads how a site is doing. Who may see the site may see it; what each moderator
// decided is shown to those who manage people, and to each of the others their own alone.
// Errors: comments.ErrForbidden, ErrMalformed for another period.
func (s *Service) Stats(ctx context.Context, who Moderator, site string, period StatsPeriod) (Stats, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return Stats{}, err
	}
	zone, now, err := s.zone(ctx, site)
	if err != nil {
		return Stats{}, err
	}
	today := midnight(now, zone)
	st := Stats{Period: period}
	switch period {
	case StatsToday:
		st.From = today
	case StatsWeek:
		st.From = today.AddDate(0, 0, -6)
	case StatsMonth:
		st.From = today.AddDate(0, 0, -29)
	case StatsYear:
		st.From = time.Date(today.Year(), today.Month()-11, 1, 0, 0, 0, 0, zone)
	default:
		return Stats{}, fmt.Errorf("period: %w", comments.ErrMalformed)
	}
	days, err := s.statsDays(ctx, site, st.From, today)
	if err != nil {
		return Stats{}, err
	}
	for at := st.From; !at.After(today); at = at.AddDate(0, 0, 1) {
		day := days[at.Format(dateForm)]
		st.Total.Merge(day)
		part := at
		if period == StatsYear {
			part = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
		}
		if n := len(st.Parts); n == 0 || !st.Parts[n-1].From.Equal(part) {
			st.Parts = append(st.Parts, StatsPart{From: part})
		}
		st.Parts[len(st.Parts)-1].Merge(day)
		if period == StatsToday || period == StatsWeek {
			for h, f := range day.Hours {
				if hour := time.Date(at.Year(), at.Month(), at.Day(), h, 0, 0, 0, zone); !hour.After(now) {
					st.Points = append(st.Points, StatsPoint{hour, f})
				}
			}
		}
	}
	if st.Points == nil {
		for _, p := range st.Parts {
			var f Flow
			for _, h := range p.Hours {
				f.Arrived += h.Arrived
				f.Decided += h.Decided
			}
			st.Points = append(st.Points, StatsPoint{p.From, f})
		}
	}
	if !who.May(ManagePeople, site) {
		own := map[string]*Share{}
		if mine := st.Total.By[who.ID]; mine != nil {
			own[who.ID] = mine
		}
		st.Total.By = own
	}
	for i := range st.Parts {
		st.Parts[i].By = nil
	}
	return st, s.statsNow(ctx, site, &st)
}

// statsNow adds what stands at this moment.
func (s *Service) statsNow(ctx context.Context, site string, st *Stats) error {
	head, err := s.cfg.Journal.Head(ctx, site)
	if err != nil {
		return err
	}
	st.Waiting = head.Counts.Pending
	cursor, err := s.statsCursor(ctx, site)
	if err != nil {
		return err
	}
	st.Behind = cursor.Seq < head.Seq && s.behind(ctx, site, cursor.Seq)
	st.Oldest, err = s.oldest(ctx, site)
	return err
}

// behind reports whether anything about a comment is still to be counted long after it came.
func (s *Service) behind(ctx context.Context, site string, after uint64) bool {
	events, err := s.cfg.Journal.Events(ctx, site, after, 1)
	return err == nil && len(events) > 0 && s.cfg.Now().Sub(events[0].At) > 10*statsRest
}

// oldestLooked bounds how many comments are looked at for the one that waits longest.
const oldestLooked = 200

// oldest is since when the pending comment waits that waits longest; zero when none waits. The
// queue goes by when comments were written, and one that was put back into it has not waited
// since then: those are passed over up to the first that has, which no later one can precede.
func (s *Service) oldest(ctx context.Context, site string) (since time.Time, err error) {
	f := QueueFilter{Site: site, Status: comments.Pending, Order: comments.Oldest, Limit: 20}
	for range oldestLooked / f.Limit {
		list, err := s.cfg.Store.Queue(ctx, f)
		if err != nil || len(list) == 0 {
			return since, err
		}
		for _, c := range list {
			history, err := s.history(ctx, c.ID)
			if err != nil {
				return since, err
			}
			from, ok := waitingSince(history, comments.Transition{Event: comments.Event{Seq: math.MaxUint64, From: comments.Pending}})
			if !ok {
				continue // decided since the list was read
			}
			if since.IsZero() || from.Before(since) {
				since = from
			}
			if !from.After(c.CreatedAt.Add(time.Minute)) {
				return since, nil
			}
		}
		f.After = list[len(list)-1].ID
	}
	return since, nil
}

// Overdue is for how long the oldest pending comment of a site has waited, if that is longer
// than the site's setting allows; else 0.
func (s *Service) Overdue(ctx context.Context, who Moderator, site comments.Site) (time.Duration, error) {
	if err := s.allowed(ctx, who, See, site.ID); err != nil || site.Settings.WarnAfter == 0 {
		return 0, err
	}
	since, err := s.oldest(ctx, site.ID)
	if err != nil || since.IsZero() {
		return 0, err
	}
	if waited := s.cfg.Now().Sub(since); waited > site.Settings.WarnAfter {
		return waited, nil
	}
	return 0, nil
}

// ReportBy is how a report is divided.
type ReportBy string

// Divisions of a report.
const (
	ByMonth   ReportBy = "month"
	ByQuarter ReportBy = "quarter"
	ByYear    ReportBy = "year"
)

// ReportBys are all of them.
var ReportBys = [...]ReportBy{ByMonth, ByQuarter, ByYear}

// reportYears is how many years a report by year goes back.
const reportYears = 5

// Report is what a site has published of how it moderates: of a year, or by year of the last
// five. It names no person and no comment. Parts that are still to come are left out. Errors:
// comments.ErrForbidden, ErrMalformed.
func (s *Service) Report(ctx context.Context, who Moderator, site string, by ReportBy, year int) ([]StatsPart, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return nil, err
	}
	zone, now, err := s.zone(ctx, site)
	if err != nil {
		return nil, err
	}
	if year == 0 {
		year = now.In(zone).Year()
	}
	months, from := 1, time.Date(year, 1, 1, 0, 0, 0, 0, zone)
	to := from.AddDate(1, 0, 0)
	switch by {
	case ByMonth:
	case ByQuarter:
		months = 3
	case ByYear:
		months, from = 12, from.AddDate(1-reportYears, 0, 0)
	default:
		return nil, fmt.Errorf("by: %w", comments.ErrMalformed)
	}
	if year < 2000 || year > 9999 {
		return nil, fmt.Errorf("year: %w", comments.ErrMalformed)
	}
	days, err := s.statsDays(ctx, site, from, to.AddDate(0, 0, -1))
	if err != nil {
		return nil, err
	}
	var parts []StatsPart
	for at := from; at.Before(to) && !at.After(now); at = at.AddDate(0, months, 0) {
		part := StatsPart{From: at}
		for day := at; day.Before(at.AddDate(0, months, 0)); day = day.AddDate(0, 0, 1) {
			part.Merge(days[day.Format(dateForm)])
		}
		part.By = nil
		parts = append(parts, part)
	}
	return parts, nil
}

func (s *Service) zone(ctx context.Context, site string) (*time.Location, time.Time, error) {
	one, err := s.cfg.Comments.Site(ctx, site)
	if err != nil {
		return nil, time.Time{}, err
	}
	return one.Settings.Location(), s.cfg.Now(), nil
}

func midnight(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
}

// daysOneByOne is up to how many days are read one by one rather than all there are.
const daysOneByOne = 40

// statsDays are the days from one to another of which something was counted.
func (s *Service) statsDays(ctx context.Context, site string, from, to time.Time) (map[string]Counted, error) {
	days := map[string]Counted{}
	if to.Sub(from) > daysOneByOne*24*time.Hour {
		docs, err := s.cfg.Store.Documents(ctx, site, kindStats)
		if err != nil {
			return nil, err
		}
		first, last := from.Format(dateForm), to.Format(dateForm)
		for _, d := range docs {
			if d.ID < first || d.ID > last {
				continue
			}
			var day statsDay
			if err := json.Unmarshal(d.Data, &day); err != nil {
				return nil, fmt.Errorf("%s: %w: %w", d.Subject(), comments.ErrDamaged, err)
			}
			days[d.ID] = day.Counted
		}
		return days, nil
	}
	for at := from; !at.After(to); at = at.AddDate(0, 0, 1) {
		date := at.Format(dateForm)
		day, err := s.statsDay(ctx, site, date)
		if err != nil && !errors.Is(err, comments.ErrNotFound) {
			return nil, err
		}
		days[date] = day.Counted
	}
	return days, nil
}
