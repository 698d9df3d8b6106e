package screen

import (
	"context"
	"regexp"
	"strings"

	"duyet/comments"
)

// manyLinks is how many links a reader's letter seldom has.
const manyLinks = 3

// Links remarks on web addresses ("link") and holds what has three or more ("many_links"),
// with the number in Args "count".
func Links() Check {
	pattern := linkPattern()
	return Check{
		Name:  "links",
		Codes: []string{"link", "many_links"},
		Look: func(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
			var places []comments.Place
			for field, text := range fields(c.Comment) {
				places = append(places, findLinks(pattern, field, text)...)
			}
			switch {
			case len(places) >= manyLinks:
				return []comments.Signal{count(comments.LevelHold, "many_links", places)}, nil
			case len(places) > 0:
				return []comments.Signal{count(comments.LevelInfo, "link", places)}, nil
			}
			return nil, nil
		},
	}
}

func linkPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)https?://[^\s<>"]+`)
}

// findLinks finds bare http and https addresses, without what punctuates the sentence.
func findLinks(pattern *regexp.Regexp, field, text string) (places []comments.Place) {
	if !strings.Contains(text, "://") {
		return nil
	}
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		link := strings.TrimRight(text[at[0]:at[1]], `.,;:!?'")]}”’…»*_`)
		if !strings.HasSuffix(link, "://") {
			places = append(places, comments.Place{Field: field, Start: at[0], End: at[0] + len(link)})
		}
	}
	return places
}
