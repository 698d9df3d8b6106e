package moderation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"duyet/comments"
)

// SetSettings changes a site's settings if the site is still at a version, all or none, for
// who manages it. Errors: comments.ErrForbidden, an InvalidError naming every setting that
// won't do, comments.ErrVersion.
func (s *Service) SetSettings(ctx context.Context, who Moderator, site string, version uint64, pairs []comments.Pair) (comments.Site, error) {
	if err := s.allowed(ctx, who, ManageSite, site); err != nil {
		return comments.Site{}, err
	}
	var wrong []comments.FieldError
	for _, p := range pairs {
		if comments.CheckSetting(p.Key, p.Value) != nil {
			wrong = append(wrong, comments.FieldError{Field: p.Key, Code: CodeBadSetting})
		}
	}
	if wrong != nil {
		return comments.Site{}, &comments.InvalidError{Fields: wrong}
	}
	return s.cfg.Desk.SetSiteAt(ctx, site, version, pairs, who.ID)
}

// CodeBadSetting is the field error of a setting that is out of its range.
const CodeBadSetting = "bad_setting"

// GatePage sets whom a page lets in, for who decides on the site's comments.
func (s *Service) GatePage(ctx context.Context, who Moderator, site, page string, gate comments.Gate) (comments.Page, error) {
	if err := s.allowed(ctx, who, Decide, site); err != nil {
		return comments.Page{}, err
	}
	return s.cfg.Desk.GatePage(ctx, site, page, gate, who.ID)
}

// TrustFor is how far back it is looked what trust would have done, and trustPast at how many
// comments.
const (
	TrustFor  = 30 * 24 * time.Hour
	trustPast = 20_000
)

// TrustPast is what trust after some approvals would have done in the last thirty days.
type TrustPast struct {
	Looked    int
	Published comments.Counts // what would have been published at once, by what became of it
	Authors   int
	Cut       bool // there was more than could be looked at
}

// WouldTrust tells what it would have done to trust authors after a number of approvals in a
// row. It knows an author's comments of those thirty days alone.
func (s *Service) WouldTrust(ctx context.Context, who Moderator, site string, after int) (TrustPast, error) {
	var p TrustPast
	if err := s.allowed(ctx, who, ManageSite, site); err != nil {
		return p, err
	}
	since := s.cfg.Now().Add(-TrustFor)
	var all []comments.Comment
	for _, status := range comments.Statuses {
		list, cut, err := s.since(ctx, site, status, since)
		if err != nil {
			return p, err
		}
		all, p.Cut = append(all, list...), p.Cut || cut
	}
	slices.SortFunc(all, func(a, b comments.Comment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	p.Looked = len(all)
	runs, authors := map[comments.AuthorKey]int{}, map[comments.AuthorKey]bool{}
	for _, c := range all {
		if c.Author.IsZero() {
			continue
		}
		if after > 0 && runs[c.Author] >= after && !c.In(Suspect) && !heldBy(c) {
			p.Published.Move("", c.Status)
			authors[c.Author] = true
		}
		switch {
		case c.Status == comments.Approved:
			runs[c.Author]++
		case c.Status != comments.Pending && !c.Marks.Has(comments.Withdrawn):
			runs[c.Author] = 0
		}
	}
	p.Authors = len(authors)
	return p, nil
}

func heldBy(c comments.Comment) bool {
	return slices.ContainsFunc(c.Signals, func(s comments.Signal) bool { return s.Level != comments.LevelInfo })
}

// since is a site's comments of a status written since a moment, newest first.
func (s *Service) since(ctx context.Context, site string, status comments.Status, since time.Time) (out []comments.Comment, cut bool, err error) {
	f := QueueFilter{Site: site, Status: status, Order: comments.Newest, Limit: PageMost}
	for len(out) < trustPast {
		list, err := s.cfg.Store.Queue(ctx, f)
		if err != nil {
			return nil, false, fmt.Errorf("comments of the last days: %w", err)
		}
		for _, c := range list {
			if c.CreatedAt.Before(since) {
				return out, false, nil
			}
			c.Content = ""
			out = append(out, c)
		}
		if len(list) < f.Limit {
			return out, false, nil
		}
		f.After = list[len(list)-1].ID
	}
	return out, true, nil
}
