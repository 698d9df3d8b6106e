package alarm

import (
	"slices"

	"duyet/comments"
	"duyet/moderation"
)

// hour is how many minutes are compared with.
const hour = 60

// record is what was heard of a place in the last hour.
type record struct {
	key    string // of the page, "" for a site
	minute int64  // the last one heard in
	slots  [hour + 1]slot
	news   [2]slot // not yet told to the counter: of this minute and the one before
}

// slot is what came in a minute.
type slot struct {
	came, wrong int64
	loud        bool
}

func (r *record) at(minute int64) *slot { return &r.slots[minute%int64(len(r.slots))] }

// advance goes on to a minute; what is older than an hour is forgotten.
func (r *record) advance(minute int64) {
	if r.minute == 0 {
		r.minute = minute
	}
	if gap := minute - r.minute; gap > 0 {
		for m := max(r.minute+1, minute-hour); m <= minute; m++ {
			*r.at(m) = slot{}
		}
		if gap == 1 {
			r.news[1] = r.news[0]
		} else {
			r.news[1] = slot{}
		}
		r.news[0] = slot{}
		r.minute = minute
	}
}

// add counts what came; where the clock steps back, it came in the last minute known.
func (r *record) add(minute, came, wrong int64) {
	r.advance(minute)
	for _, s := range []*slot{r.at(r.minute), &r.news[0]} {
		s.came += came
		s.wrong += wrong
	}
}

// idle reports whether nothing came for an hour.
func (r *record) idle(minute int64) bool { return minute-r.minute > hour }

// loud says why this minute is loud, "" when it isn't, and how many comments a minute are
// too many: most, where that is known already.
func (r *record) loud(minute int64, site bool, most int64) (moderation.AttackWhy, int64) {
	least := int64(PageLeast)
	if site {
		least = SiteLeast
	}
	now := r.at(minute)
	if r.minute != minute || now.came <= least && now.wrong <= WrongMost {
		return "", most
	}
	if most == 0 {
		most = max(least, Times*r.median(minute))
	}
	switch {
	case now.wrong > WrongMost:
		now.loud = true
		return moderation.AttackWrong, most
	case now.came > most:
		now.loud = true
		return moderation.AttackArrivals, most
	}
	return "", most
}

// median is the middle of the last hour's minutes, those that were loud left out: an attack
// is not what comes usually.
func (r *record) median(minute int64) int64 {
	came := make([]int64, 0, hour)
	for m := minute - hour; m < minute; m++ {
		if s := r.at(m); !s.loud {
			came = append(came, s.came)
		}
	}
	if len(came) == 0 {
		return 0
	}
	slices.Sort(came)
	return came[len(came)/2]
}

// collect takes what has not been told to the counter yet.
func (a *Alarm) collect() (news []comments.Arrival, places []place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p, r := range a.heard {
		for i := range r.news {
			if n := r.news[i]; n.came > 0 || n.wrong > 0 {
				news = append(news, comments.Arrival{Site: p.site, Page: p.page, Minute: r.minute - int64(i), Came: n.came, Wrong: n.wrong})
				places = append(places, p)
				r.news[i] = slot{}
			}
		}
	}
	return news, places
}

// putBack keeps what could not be told for the next time, unless it is old by then.
func (a *Alarm) putBack(places []place, news []comments.Arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, n := range news {
		if r := a.heard[places[i]]; r != nil && r.minute-n.Minute >= 0 && r.minute-n.Minute < int64(len(r.news)) {
			s := &r.news[r.minute-n.Minute]
			s.came, s.wrong = s.came+n.Came, s.wrong+n.Wrong
		}
	}
}

// takeOver takes what came to all nodes, and adds what has come here since it was asked.
func (a *Alarm) takeOver(places []place, all []comments.Arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, n := range all {
		r := a.heard[places[i]]
		if r == nil || r.minute-n.Minute < 0 || r.minute-n.Minute >= int64(len(r.news)) {
			continue
		}
		since := r.news[r.minute-n.Minute]
		s := r.at(n.Minute)
		s.came, s.wrong = max(s.came, n.Came+since.came), max(s.wrong, n.Wrong+since.wrong)
	}
}
