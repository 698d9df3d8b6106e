package screen

import (
	"context"
	"unicode"

	"duyet/comments"
)

// A text is shouted when it has at least shoutLeast letters, too many for a heading or an
// abbreviation, and at most one in twenty is small.
const (
	shoutLeast = 40
	smallMost  = 20
)

// Shouting remarks on content in capitals throughout: "capitals". Titles are often so.
func Shouting() Check {
	return Check{
		Name:  "shouting",
		Codes: []string{"capitals"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			capital, small := 0, 0
			for _, r := range c.Comment.Content {
				switch {
				case unicode.IsUpper(r):
					capital++
				case unicode.IsLower(r):
					small++
				}
			}
			if letters := capital + small; letters < shoutLeast || small*smallMost > letters {
				return nil, nil
			}
			return []comments.Signal{{
				Level: comments.LevelInfo, Code: "capitals",
				Places: []comments.Place{{Field: "content", End: len(c.Comment.Content)}},
			}}, nil
		},
	}
}
