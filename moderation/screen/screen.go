// Package screen is the ordered list of checks that look at a submission: a check a file.
// A check finds and marks; it never refuses, and it decides nothing. What is held is seen
// by a moderator, with what was found.
package screen

import (
	"context"
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
}

// NotChecked is the code of a check that could not look; the comment is held.
const NotChecked = "not_checked"

// Within is how long all checks together may take.
const Within = 500 * time.Millisecond

// placesMost bounds the places that one signal shows.
const placesMost = 20

// List is checks in the order in which their signals are kept. It is safe for concurrent
// use and implements comments.Screener.
type List struct{ checks []Check }

// New makes a List.
func New(checks ...Check) *List { return &List{checks: checks} }

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
	}, more...)...)
}

// all is every check there is, for its codes alone.
func all() *List {
	return Default((*Lists)(nil).Check())
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

// Screen runs every check, side by side, and keeps every signal, in the order of the list.
// One that fails, panics or takes longer than Within, or than ctx lasts, is a signal
// NotChecked of level hold, and doesn't keep the others from looking. The error is always
// nil: whatever could be found is worth having.
func (l *List) Screen(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	found := make([]chan []comments.Signal, len(l.checks))
	for i, check := range l.checks {
		found[i] = make(chan []comments.Signal, 1) // so that one who is late ends nonetheless
		go func() { found[i] <- check.look(ctx, c) }()
	}
	var signals []comments.Signal
	for i, check := range l.checks {
		select {
		case s := <-found[i]:
			signals = append(signals, s...)
		case <-ctx.Done():
			select {
			case s := <-found[i]: // it was in time, only others weren't
				signals = append(signals, s...)
			default:
				signals = append(signals, check.notChecked())
			}
		}
	}
	return signals, nil
}

// look runs the check; what keeps it from looking becomes a signal.
func (check Check) look(ctx context.Context, c comments.Candidate) (signals []comments.Signal) {
	defer func() {
		if recover() != nil {
			signals = []comments.Signal{check.notChecked()}
		}
	}()
	signals, err := check.Look(ctx, c)
	for i := range signals {
		signals[i].Check = check.Name
	}
	if err != nil {
		signals = append(signals, check.notChecked())
	}
	return signals
}

func (check Check) notChecked() comments.Signal {
	return comments.Signal{Check: check.Name, Level: comments.LevelHold, Code: NotChecked}
}
