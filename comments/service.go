package comments

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"duyet/comments/pagekey"
)

// Service is the readers' wing: every rule about what a reader may write and see.
// It is safe for concurrent use.
type Service struct {
	cfg   Config
	sites sync.Map // site id → Site; emptied by observing the store
}

// Config is what a Service works with. Every field is needed where something is let in.
type Config struct {
	Store    Store
	Tickets  Tickets
	Judge    Judge
	Limiter  Limiter
	Alarm    Alarm // nil = Calm
	Works    Works
	Receipts Receipts
	Codes    Codes // nil = nobody finds a comment by its code
	Screener Screener
	Now      func() time.Time
}

// NewService starts the readers' wing. It observes the store to keep its copy of the
// sites' settings fresh, so call it before serving.
func NewService(cfg Config) *Service {
	if cfg.Alarm == nil {
		cfg.Alarm = Calm{}
	}
	s := &Service{cfg: cfg}
	cfg.Store.Observe(func(c Commit) {
		switch c.Event.Kind {
		case KindSiteAdded, KindSiteChanged, KindPageMerged, KindPageRenamed:
			s.sites.Delete(c.Event.Site)
		case KindSiteRemoved:
			s.sites.Delete(c.Event.Subject)
		}
	})
	return s
}

// Site is a site by id, from memory when it was asked for before.
func (s *Service) Site(ctx context.Context, id string) (Site, error) {
	if v, ok := s.sites.Load(id); ok {
		return v.(Site), nil
	}
	if !ValidSiteID(id) {
		return Site{}, ErrUnknownSite
	}
	site, err := s.readSite(ctx, id)
	if err != nil {
		return Site{}, err
	}
	// A change that commits between the read and this line is seen by the check below:
	// the observer may have run before the entry stood.
	s.sites.Store(id, site)
	if again, err := s.readSite(ctx, id); err != nil || again.Version != site.Version || !maps.Equal(again.Aliases, site.Aliases) {
		s.sites.Delete(id)
		return again, err
	}
	return site, nil
}

func (s *Service) readSite(ctx context.Context, id string) (Site, error) {
	site, err := s.cfg.Store.Site(ctx, id)
	if err == nil {
		site.Aliases, err = s.cfg.Store.Aliases(ctx, id)
	}
	if err != nil {
		return Site{}, err
	}
	return site, nil
}

// PageKey makes the canonical key of a page as a reader or a CMS names it. The error is
// an InvalidError on the field "page".
func PageKey(site Site, raw string) (key string, isURL bool, err error) {
	key, isURL, err = pagekey.Canonical(raw, site.Origins, site.Settings.DropParams)
	switch {
	case err == nil:
		if now, moved := site.Aliases[key]; moved {
			key, isURL = now, strings.Contains(now, "://")
		}
		return key, isURL, nil
	case errors.Is(err, pagekey.ErrForeign):
		return "", false, Invalid("page", CodePageForeign)
	case raw == "":
		return "", false, Invalid("page", CodeRequired)
	}
	return "", false, Invalid("page", CodePageInvalid)
}

// page is a page as it stands, or as it would stand with its first comment.
func (s *Service) page(ctx context.Context, site Site, raw string) (p Page, err error) {
	key, isURL, err := PageKey(site, raw)
	if err != nil {
		return Page{}, err
	}
	p, err = s.cfg.Store.Page(ctx, site.ID, key)
	if errors.Is(err, ErrNotFound) {
		p = Page{Site: site.ID, Key: key}
		if isURL {
			p.URL = key
		}
		return p, nil
	}
	return p, err
}
