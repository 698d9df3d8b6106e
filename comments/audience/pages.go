package audience

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"duyet/comments"
)

// Stored views of pages are remembered, so that a count that many ask for costs the store
// nothing. What this node writes is added to them; what others write is read again after
// shareEvery.

// knownBytes bounds them.
const knownBytes = 8 << 20

type pageOf struct{ site, page string }

type storedViews struct {
	views int64 // -1 where the page is known to have some, and the number was not asked for
	at    time.Time
}

func newKnown() (*otter.Cache[pageOf, storedViews], error) {
	return otter.New(&otter.Options[pageOf, storedViews]{
		MaximumWeight: knownBytes,
		Weigher:       func(p pageOf, _ storedViews) uint32 { return uint32(len(p.page)) + 160 },
	})
}

// stored are the views that the store has, in the order asked. The caller holds a.writing.
func (a *Audience) stored(ctx context.Context, site string, pages []string) ([]int64, error) {
	now := a.cfg.Now()
	views := make([]int64, len(pages))
	var missing []string
	var places []int
	for i, p := range pages {
		s, ok := a.known.GetIfPresent(pageOf{site, p})
		if !ok || s.views < 0 || a.cfg.Shared && now.Sub(s.at) >= shareEvery {
			missing, places = append(missing, p), append(places, i)
			continue
		}
		views[i] = s.views
	}
	if len(missing) == 0 {
		return views, nil
	}
	asked, err := a.cfg.Store.PageViews(ctx, site, missing)
	if err != nil {
		return nil, err
	}
	for i, n := range asked {
		views[places[i]] = n
		if n > 0 { // made-up pages take no room
			a.known.Set(pageOf{site, missing[i]}, storedViews{n, now})
		}
	}
	return views, nil
}

// wrote adds views that the store has now to what is remembered of it.
func (a *Audience) wrote(site, page string, n int64) {
	k := pageOf{site, page}
	switch s, ok := a.known.GetIfPresent(k); {
	case !ok:
		a.known.Set(k, storedViews{views: -1})
	case s.views >= 0:
		a.known.Set(k, storedViews{s.views + n, s.at})
	}
}

// Observer forgets what is remembered of pages when some become others. Register it with
// the store that holds the sites.
func (a *Audience) Observer() comments.Observer {
	return func(c comments.Commit) {
		switch c.Event.Kind {
		case comments.KindSiteRemoved, comments.KindPageMerged, comments.KindPageRenamed:
			a.known.InvalidateAll()
		}
	}
}
