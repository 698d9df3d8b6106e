package limit

import (
	"time"

	"duyet/comments"
)

// Rule allows Most uses in any stretch of time as long as Per. With Pause, whoever has
// made Most within Per waits that long after the last of them, however old the first are
// by then.
type Rule struct {
	Most  int
	Per   time.Duration
	Pause time.Duration // 0 = until the oldest is Per old
}

// Rules are the rules of each meter, for one network. A use has to keep to all of them.
type Rules map[comments.Meter][]Rule

// DefaultRules are what one network may do.
func DefaultRules() Rules {
	return Rules{
		comments.MeterComment:    {{Most: 5, Per: time.Minute}, {Most: 30, Per: time.Hour}},
		comments.MeterTicket:     {{Most: 30, Per: time.Minute}},
		comments.MeterImage:      {{Most: 60, Per: time.Minute}},
		comments.MeterSound:      {{Most: 10, Per: time.Minute}},
		comments.MeterLike:       {{Most: 30, Per: time.Minute}, {Most: 300, Per: time.Hour}},
		comments.MeterWork:       {{Most: 30, Per: time.Minute}},
		comments.MeterNudge:      {{Most: 20, Per: time.Minute}},
		comments.MeterOwn:        {{Most: 10, Per: time.Minute}, {Most: 60, Per: time.Hour}},
		comments.MeterReport:     {{Most: 5, Per: 10 * time.Minute}},
		comments.MeterLookUp:     {{Most: 5, Per: time.Minute}, {Most: 15, Per: time.Hour}},
		comments.MeterLookUpSite: {{Most: 300, Per: time.Hour}},
		comments.MeterFailed:     {{Most: 30, Per: time.Minute}, {Most: 200, Per: time.Hour}},
		comments.MeterWrong:      {{Most: 10, Per: 10 * time.Minute, Pause: 10 * time.Minute}},
	}
}

// Gates are the meters of failed tries, which stand before a meter: while a network has
// failed too often, it may not use that meter either.
func Gates(m comments.Meter) []comments.Meter {
	if m == comments.MeterComment {
		return []comments.Meter{comments.MeterFailed, comments.MeterWrong}
	}
	return nil
}

// BySite reports whether a meter counts for each site by itself. What costs the machine
// rather than the site is counted for all sites together.
func BySite(m comments.Meter) bool {
	return m == comments.MeterComment || m == comments.MeterFailed || m == comments.MeterWrong || m == comments.MeterLookUpSite
}

// Scale multiplies what a rule allows.
type Scale float64

// Scales. A wider network holds many people; a proof of work has cost its sender
// something; an attack leaves half.
const (
	Wide   Scale = 5
	Proven Scale = 5
	Halved Scale = 0.5
)

// ScaleOf is what a use multiplies the rules of a network by.
func ScaleOf(m comments.Meter, u comments.Use) Scale {
	s := Scale(1)
	if u.Proven && m == comments.MeterComment {
		s *= Proven
	}
	if u.Halved && m != comments.MeterFailed && m != comments.MeterWrong {
		s *= Halved
	}
	return s
}

// Of is how many uses a rule allows by a scale: one at least.
func (s Scale) Of(most int) int { return max(1, int(Scale(most)*s)) }

// KeepOf is the greatest scale by which a meter is ever asked.
func KeepOf(m comments.Meter) Scale {
	if m == comments.MeterComment {
		return Proven
	}
	return 1
}

// Keep is how many uses the rules need to know of by a scale.
func Keep(rules []Rule, s Scale) (keep int) {
	for _, r := range rules {
		keep = max(keep, s.Of(r.Most))
	}
	return keep
}

// Wait is how long until every rule allows another use after those there were, oldest
// first, rounded up to seconds.
func Wait(rules []Rule, s Scale, uses []time.Duration, now time.Duration) (wait time.Duration) {
	for _, r := range rules {
		n := len(uses) - s.Of(r.Most)
		if n < 0 {
			continue
		}
		last := uses[len(uses)-1]
		if r.Pause > 0 && last-uses[n] < r.Per {
			wait = max(wait, last+r.Pause-now)
		} else {
			wait = max(wait, uses[n]+r.Per-now)
		}
	}
	if wait <= 0 {
		return 0
	}
	return (wait + time.Second - 1).Truncate(time.Second)
}
