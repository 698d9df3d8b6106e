package moderation

import (
	"context"

	"duyet/comments"
)

// PageMover changes pages; comments.Service is one.
type PageMover interface {
	MovePage(ctx context.Context, site, from, to string, merge bool, actor string) (comments.Page, error)
	TitlePage(ctx context.Context, site, page, title, actor string) (comments.Page, error)
}

// MovePage merges a page into another or gives it another key, for who manages the site; see
// comments.Service.
func (s *Service) MovePage(ctx context.Context, who Moderator, site, from, to string, merge bool) (comments.Page, error) {
	if err := s.allowed(ctx, who, ManageSite, site); err != nil {
		return comments.Page{}, err
	}
	return s.cfg.Mover.MovePage(ctx, site, from, to, merge, who.ID)
}

// TitlePage gives a page another title, for who decides on the site's comments.
func (s *Service) TitlePage(ctx context.Context, who Moderator, site, page, title string) (comments.Page, error) {
	if err := s.allowed(ctx, who, Decide, site); err != nil {
		return comments.Page{}, err
	}
	return s.cfg.Mover.TitlePage(ctx, site, page, title, who.ID)
}
