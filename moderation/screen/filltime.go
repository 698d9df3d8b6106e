package screen

import (
	"context"
	"math"
	"strconv"
	"time"

	"duyet/comments"
)

// fillLeast is the time in which nobody reads a code and writes a comment.
const fillLeast = 3 * time.Second

// FillTime holds what is sent sooner after its code was issued than a person can type it:
// "fast", with the whole seconds begun in Args "seconds".
func FillTime() Check {
	return Check{
		Name:  "filltime",
		Codes: []string{"fast"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			took := c.Now.Sub(c.Issued)
			if c.Issued.IsZero() || took >= fillLeast {
				return nil, nil
			}
			// Nodes whose clocks differ may see it come before its code.
			seconds := int(math.Ceil(max(0, took).Seconds()))
			return []comments.Signal{{
				Level: comments.LevelHold, Code: "fast",
				Args: map[string]string{"seconds": strconv.Itoa(seconds)},
			}}, nil
		},
	}
}
