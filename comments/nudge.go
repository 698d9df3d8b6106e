package comments

import (
	"context"
	"fmt"
	"net/netip"
	"unicode/utf8"
)

// Nudger tells what the softer checks find in words that are not sent yet, so that their
// author can be told kindly; moderation/screen implements it. What a Screener that is no
// Nudger would find, nobody is told.
type Nudger interface {
	// Nudge is the signals worth telling an author of. It writes nothing and keeps nothing.
	Nudge(ctx context.Context, c Candidate) ([]Signal, error)
}

// Nudge looks at words before they are sent, counted against the network of addr. It stores
// nothing and spends nothing, and whatever it finds, the words may be sent: then they are
// judged like any others. Checks that can't look tell nothing. Errors: *LimitedError,
// ErrMalformed (not UTF-8).
func (s *Service) Nudge(ctx context.Context, site Site, sub Submission, addr netip.Addr) ([]Signal, error) {
	for _, text := range []string{sub.Page, sub.Name, sub.Title, sub.Content} {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("not UTF-8: %w", ErrMalformed)
		}
	}
	key, _, err := PageKey(site, sub.Page)
	if err != nil {
		return nil, err
	}
	if err := s.Limit(site, PageHash(site.ID, key), MeterNudge, addr); err != nil {
		return nil, err
	}
	n, ok := s.cfg.Screener.(Nudger)
	if !ok || len(sub.Name) > NameBytes || len(sub.Title) > TitleBytes || len(sub.Content) > ContentBytes {
		return nil, nil // what is too long is told when it is sent
	}
	now := s.cfg.Now().UTC()
	signals, err := n.Nudge(ctx, Candidate{
		Site: site, Page: Page{Site: site.ID, Key: key}, Now: now,
		Comment: Comment{Site: site.ID, Page: key, Name: Clean(sub.Name), Title: Clean(sub.Title), Content: Clean(sub.Content), Lang: sub.Lang, CreatedAt: now},
	})
	if err != nil {
		return nil, nil
	}
	return signals, nil
}
