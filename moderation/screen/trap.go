package screen

import (
	"context"

	"duyet/comments"
)

// Trap holds what fills in the field that no person sees.
func Trap() Check {
	return Check{
		Name:  "trap",
		Codes: []string{"filled"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			if c.Trap == "" {
				return nil, nil
			}
			return []comments.Signal{{Level: comments.LevelHold, Code: "filled"}}, nil
		},
	}
}
