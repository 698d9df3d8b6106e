package comments

import "context"

// TrustMost is the most approvals that a site may ask for before it trusts an author.
const TrustMost = 100

// Trust is what an author's decided comments say, taken newest first.
type Trust struct {
	After int // approvals in a row that are asked for
	run   int
	over  bool
}

// Add takes the next older comment in and reports whether there is something to learn from
// still older ones. What waits says nothing; what was refused ends the row.
func (t *Trust) Add(c Comment) bool {
	switch {
	case t.over || c.Status == Pending:
	case c.Status == Approved:
		t.run++
	case c.Marks.Has(Withdrawn): // its author's own wish
	default:
		t.over = true
	}
	return !t.over && t.run < t.After
}

// Earned reports whether the author is to be trusted.
func (t *Trust) Earned() bool { return t.After > 0 && t.run >= t.After }

// trustLook is how many of an author's latest comments are looked at.
const trustLook = 2 * TrustMost

// trusted reports whether a comment's author has so many approvals in a row, by the key of
// the browser, that the site publishes it at once. A name alone is never trusted.
func (s *Service) trusted(ctx context.Context, set Settings, c Comment) (bool, error) {
	if set.TrustAfter <= 0 || c.Author.IsZero() {
		return false, nil
	}
	list, err := s.cfg.Store.Written(ctx, Wrote{Site: c.Site, Author: c.Author}, "", min(trustLook, 4*set.TrustAfter))
	if err != nil {
		return false, err
	}
	t := Trust{After: set.TrustAfter}
	for _, earlier := range list {
		if !t.Add(earlier) {
			break
		}
	}
	return t.Earned(), nil
}
