package screen

import (
	"context"

	"duyet/comments"
)

// Work holds what comes without a proof of work while its page is under attack: "missing".
// It also holds what came over the limit of its network, let in by its proof: "over".
func Work() Check {
	return Check{
		Name:  "work",
		Codes: []string{"missing", "over"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			switch {
			case c.Over:
				return []comments.Signal{{Level: comments.LevelHold, Code: "over"}}, nil
			case c.Attack && c.Work == comments.WorkUnknown:
				return nil, comments.ErrUnavailable
			case c.Attack && c.Work != comments.WorkDone:
				return []comments.Signal{{Level: comments.LevelHold, Code: "missing"}}, nil
			}
			return nil, nil
		},
	}
}
