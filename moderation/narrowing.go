package moderation

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"duyet/comments"
	"duyet/comments/search"
)

// Narrowing is what narrows a queue, as people type and choose it.
type Narrowing struct {
	Words  string `json:"words,omitempty"`  // with operators, see comments/search
	Page   string `json:"page,omitempty"`   // key
	Signal string `json:"signal,omitempty"` // check, or Unheld
	Has    string `json:"has,omitempty"`    // "link"
	Reply  string `json:"reply,omitempty"`  // "yes" or "no"
	Lang   string `json:"lang,omitempty"`   // "vi" or "en"
}

// Unheld stands for a check: only what none holds, which in a flood is where readers are.
const Unheld = "none"

// narrowingMost is the most bytes of one part of a narrowing.
const narrowingMost = 2 << 10

// Query reads it; days are of a place. Errors are comments.ErrMalformed, for words a
// *search.UnreadError.
func (n Narrowing) Query(place *time.Location) (search.Query, error) {
	for name, text := range map[string]string{"q": n.Words, "page": n.Page, "signal": n.Signal, "has": n.Has, "reply": n.Reply, "written": n.Lang} {
		if len(text) > narrowingMost || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return search.Query{}, fmt.Errorf("%s: %w", name, comments.ErrMalformed)
		}
	}
	q, err := search.Parse(n.Words, place)
	if err != nil {
		return q, err
	}
	if q.PageKey = n.Page; n.Signal == Unheld {
		q.Unheld = true
	} else {
		q.Check = n.Signal
	}
	if n.Lang != "" {
		q.Lang = n.Lang
	}
	yes, no := true, false
	switch {
	case n.Has == "link":
		q.Link = true
	case n.Has != "":
		return q, fmt.Errorf("has: %w", comments.ErrMalformed)
	}
	switch n.Reply {
	case "yes":
		q.Reply = &yes
	case "no":
		q.Reply = &no
	case "":
	default:
		return q, fmt.Errorf("reply: %w", comments.ErrMalformed)
	}
	if n.Lang != "" && n.Lang != "vi" && n.Lang != "en" {
		return q, fmt.Errorf("written: %w", comments.ErrMalformed)
	}
	return q, nil
}
