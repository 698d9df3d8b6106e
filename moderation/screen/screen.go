// Package screen is the ordered list of checks that look at a submission: a check a file.
// A check finds and marks; it never refuses, and it decides nothing. What is held is seen
// by a moderator, with what was found.
package screen

import (
	"context"
	"slices"
	"time"

	"duyet/comments"
)

// Check looks for one kind of thing.
type Check struct {
	Name string // of its signals' Check; small letters
	// Codes are the codes of the signals it may give. Each has its words in every
	// language: message "signal.{name}.{code}".
	Codes []string
	// Look says what it finds, with Level, Code, Args and Places; Check is filled in. An
	// error, a panic or being late means that it could not look. It must not keep or
	// change the candidate, and should end when ctx does.
	Look func(ctx context.Context, c comments.Candidate) ([]comments.Signal, error)
	// Weigh stands in Look's place where a check estimates the risk of a comment too, per
	// mille; 0 = unknown. The highest of all checks counts.
	Weigh func(ctx context.Context, c comments.Candidate) ([]comments.Signal, uint16, error)
	// Within is how long it may take, where that is more than the constant Within.
	Within time.Duration
}

// NotChecked is the code of a check that could not look; the comment is held.
const NotChecked = "not_checked"

// Within is how long all checks together may take, but for those with a Within of their own:
// they run beside the others, so that all end with the longest.
const Within = 500 * time.Millisecond

// placesMost bounds the places that one signal shows.
const placesMost = 20

// List is checks in the order in which their signals are kept. It is safe for concurrent
// use and implements comments.Screener.
type List struct{ checks []Check }

// New makes a List.
func New(checks ...Check) *List { return &List{checks: checks} }

// Checks are the checks in their order, for whoever measures each.
func (l *List) Checks() []Check { return slices.Clone(l.checks) }

// Default is every check that needs nothing but the comment, and after them those given.
func Default(more ...Check) *List {
	return New(append([]Check{
		Trap(),
		FillTime(),
		Work(),
		Links(),
		Shouting(),
		Contacts(),
		Personal(),
		Shape(),
		StaffNames(),
	}, more...)...)
}

// all is every check there is, for its codes alone.
func all() *List {
	rules := Check{Name: comments.CheckRule, Codes: []string{string(EffectHold), string(EffectSpam), string(EffectTwo)}}
	return Default((*Lists)(nil).Check(), (*Repeats)(nil).Check(), (*Learner)(nil).Check(), (*Bans)(nil).Check(), Akismet(nil), Hook(nil), rules)
}

// Codes lists every check and code that a signal may have, in order, for
// whoever keeps the words for them: {check, code}.
func Codes() [][2]string {
	codes := [][2]string{{"screening", NotChecked}} // of comments.Service, when no List answers
	for _, check := range all().checks {
		for _, code := range check.Codes {
			codes = append(codes, [2]string{check.Name, code})
		}
		codes = append(codes, [2]string{check.Name, NotChecked})
	}
	return codes
}

// finding is what one check found.
type finding struct {
	signals []comments.Signal
	risk    uint16
}

// Screen runs every check, side by side, and keeps every signal, in the order of the list.
// One that fails, panics or takes longer than it may, or than ctx lasts, is a signal
// NotChecked of level hold, and doesn't keep the others from looking. The error is always
// nil: whatever could be found is worth having.
func (l *List) Screen(ctx context.Context, c comments.Candidate) (comments.Screening, error) {
	begun := time.Now()
	within, cancel := context.WithDeadline(ctx, begun.Add(Within))
	defer cancel()
	found, until := make([]chan finding, len(l.checks)), make([]context.Context, len(l.checks))
	for i, check := range l.checks {
		until[i] = within
		if check.Within > Within {
			longer, cancel := context.WithDeadline(ctx, begun.Add(check.Within))
			defer cancel()
			until[i] = longer
		}
		found[i] = make(chan finding, 1) // so that one who is late ends nonetheless
		go func() { found[i] <- check.look(until[i], c) }()
	}
	var s comments.Screening
	keep := func(f finding) {
		s.Signals = append(s.Signals, f.signals...)
		s.Risk = max(s.Risk, f.risk)
	}
	for i, check := range l.checks {
		select {
		case f := <-found[i]:
			keep(f)
		case <-until[i].Done():
			select {
			case f := <-found[i]: // it was in time, only others weren't
				keep(f)
			default:
				s.Signals = append(s.Signals, check.notChecked())
			}
		}
	}
	return s, nil
}

// look runs the check; what keeps it from looking becomes a signal.
func (check Check) look(ctx context.Context, c comments.Candidate) (f finding) {
	defer func() {
		if recover() != nil {
			f = finding{signals: []comments.Signal{check.notChecked()}}
		}
	}()
	var err error
	if check.Weigh != nil {
		f.signals, f.risk, err = check.Weigh(ctx, c)
	} else {
		f.signals, err = check.Look(ctx, c)
	}
	for i := range f.signals {
		f.signals[i].Check = check.Name
	}
	if err != nil {
		f.signals = append(f.signals, check.notChecked())
	}
	return f
}

func (check Check) notChecked() comments.Signal {
	return comments.Signal{Check: check.Name, Level: comments.LevelHold, Code: NotChecked}
}
