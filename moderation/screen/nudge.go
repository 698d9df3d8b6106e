package screen

import (
	"context"

	"duyet/comments"
)

// soft reports whether an author is told of a signal before sending: what is theirs to
// mend, and what would be held. Nobody is told how to get past a list of spam.
func soft(s comments.Signal) bool {
	switch {
	case s.Level == comments.LevelSpam || s.Code == NotChecked:
		return false
	case s.Check == "personal":
		return true
	}
	switch s.Check {
	case "links", "shouting", "contacts", "shape", "words":
		return s.Level == comments.LevelHold
	}
	return false
}

// Nudge implements comments.Nudger: it runs the checks that look at words alone.
func (l *List) Nudge(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	var signals []comments.Signal
	for _, check := range l.checks {
		switch check.Name {
		case "links", "shouting", "contacts", "personal", "shape", "words":
			for _, s := range check.look(ctx, c).signals {
				if soft(s) {
					signals = append(signals, s)
				}
			}
		}
	}
	return signals, nil
}

// Nudge implements comments.Nudger. Rules are not told: they are the newsroom's own.
func (r Ruled) Nudge(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
	if n, ok := r.Screener.(comments.Nudger); ok {
		return n.Nudge(ctx, c)
	}
	return nil, nil
}
