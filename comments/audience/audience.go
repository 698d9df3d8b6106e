// Package audience counts who reads: the views of a page, and a site's visitors online,
// today, this week and in all.
//
// A visitor is a network, a browser's name and a site, hashed with a salt that is thrown
// away when the site's day ends; the hash goes into a sketch (HyperLogLog) and is kept
// nowhere. So nothing is stored in the browser, nobody can be followed from one day to the
// next, and the week and the total are sums of daily visitors: who comes on two days counts
// twice. Counts are exact while small and within about one percent when large.
//
// Views are counted in memory and written together once a second: a crash loses at most the
// last second of them. The package counts, and keeps floods out of the counts, and nothing
// else: it knows no HTTP and never sees a comment.
package audience

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"duyet/comments"
)

// Bounds on what waits in memory to be written.
const (
	FlushEvery    = time.Second
	maxKeyBytes   = 16 << 20 // of page keys that wait; past it views of further pages are dropped
	pagesPerWrite = 8192     // pages written in one transaction, so that comments don't wait long
	maxSites      = 1024     // sites held at once; beyond, those that were quiet longest go first
	flushTimeout  = 5 * time.Second
)

// Config is what an Audience works with. Store is needed; the others have defaults.
type Config struct {
	Store Store
	Now   func() time.Time // nil: time.Now
	// Random makes salts; nil: crypto/rand.
	Random io.Reader
	// Shared says that other nodes write to the same store: who is online is then told to
	// it every ten seconds, and what it knows is read again when it is older than that.
	Shared bool
	// Log hears of writes that failed; nil: slog.Default().
	Log *slog.Logger
}

// Audience counts. It is safe for concurrent use. Run must run beside it.
type Audience struct {
	cfg  Config
	kick chan struct{}

	// writing is held while what waits is being written: a reader of a count who held it
	// shared sees each view once, either waiting or written.
	writing sync.RWMutex

	mu       sync.Mutex
	sites    map[string]*site
	keyBytes int   // of the page keys that wait, all sites together
	dropped  int64 // views not counted for want of room

	known                      *otter.Cache[pageOf, storedViews]
	views, newPages, newOfSite *gate
}

// New makes an Audience.
func New(cfg Config) *Audience {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	known, err := newKnown()
	if err != nil {
		panic(err) // options that are right make none
	}
	return &Audience{
		cfg: cfg, kick: make(chan struct{}, 1), sites: map[string]*site{}, known: known,
		views:    newGate(networkEvery, networkBurst, gateSlots),
		newPages: newGate(newEvery, newBurst, gateSlots), newOfSite: newGate(newSiteEvery, newSiteBurst, maxSites),
	}
}

// Visit is one page view as the door saw it.
type Visit struct {
	Page      string     // canonical page key
	Addr      netip.Addr // of the client, not of a proxy
	UserAgent string
	Purpose   string // what Sec-Purpose, Purpose, X-Purpose or X-Moz said, if anything
	From      string // the From header, which crawlers send and browsers don't
}

// View counts a page view and its visitor, unless a program asked: then it reports false.
// It asks the store for something only once a site and day. When the store can't answer,
// the view is counted and the visitor is not; Run logs that.
func (a *Audience) View(ctx context.Context, in comments.Site, v Visit) (counted bool) {
	if v.automated() {
		return false
	}
	s := a.lock(in.ID)
	defer s.mu.Unlock()
	now := a.cfg.Now()
	s.seen = now
	if err := a.open(ctx, s, s.today(in, now), now); err == nil {
		s.visit(v, now)
	}
	_, waits := s.pages[v.Page]
	if !waits && !a.room(v.Page) {
		return false
	}
	if s.pages == nil {
		s.pages = map[string]int64{}
	}
	s.pages[v.Page]++
	return true
}

// room takes what a key needs of what may wait, or reports that there is none left. Half
// way it asks for an early write.
func (a *Audience) room(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keyBytes+keyCost(key) > maxKeyBytes {
		a.dropped++
		return false
	}
	a.keyBytes += keyCost(key)
	if a.keyBytes > maxKeyBytes/2 {
		select {
		case a.kick <- struct{}{}:
		default:
		}
	}
	return true
}

// lock is the state of one site, made if need be, with its mutex held.
func (a *Audience) lock(id string) *site {
	for {
		a.mu.Lock()
		s, ok := a.sites[id]
		if !ok {
			s = &site{id: id}
			a.sites[id] = s
		}
		a.mu.Unlock()
		s.mu.Lock()
		if !s.gone {
			return s
		}
		s.mu.Unlock()
		a.remove(s)
	}
}

func (a *Audience) remove(s *site) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sites[s.id] == s {
		delete(a.sites, s.id)
	}
}

// open makes s ready for a day, or says why it can't be. The caller holds s.mu.
func (a *Audience) open(ctx context.Context, s *site, day Day, now time.Time) error {
	day = max(day, s.day) // a clock set back stays in the day it was
	isToday := s.isOpen && day == s.day
	stale := s.reload || a.cfg.Shared && now.Sub(s.loaded) >= shareEvery
	switch {
	case isToday && !stale:
		return nil
	case now.Before(s.retry) && isToday:
		return nil
	case now.Before(s.retry):
		return s.fault
	}
	err := a.load(ctx, s, day, now)
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.Canceled) {
		s.retry, s.fault, s.told = now.Add(FlushEvery), err, false
	}
	if isToday {
		return nil // with what was known
	}
	return err
}

func (a *Audience) load(ctx context.Context, s *site, day Day, now time.Time) error {
	var proposed Salts
	for _, salt := range []*[saltSize]byte{&proposed.Day, &proposed.Live} {
		if _, err := io.ReadFull(a.cfg.Random, salt[:]); err != nil {
			return fmt.Errorf("audience: %w", err)
		}
	}
	kept, err := a.cfg.Store.LoadAudience(ctx, s.id, day, proposed)
	if err != nil {
		return err
	}
	return s.load(day, kept, now)
}

// keyCost is what a page that waits costs in bytes, about.
func keyCost(key string) int { return len(key) + 64 }

// giveBack is the opposite of room.
func (a *Audience) giveBack(bytes int) {
	a.mu.Lock()
	a.keyBytes -= bytes
	a.mu.Unlock()
}

// Counts are a site's visitors and the views of a page, or of the whole site.
type Counts struct {
	PageViews int64
	Online    int64 // seen in the last five minutes
	Today     int64 // visitors since midnight in the site's time zone
	Week      int64 // sum of the daily visitors since Monday
	Total     int64 // sum of the daily visitors of all days
}

// Counts tells what is known of a site; PageViews are those of the page by canonical key,
// or of the site when page is "". What waits to be written is counted.
func (a *Audience) Counts(ctx context.Context, in comments.Site, page string) (Counts, error) {
	a.writing.RLock()
	defer a.writing.RUnlock()
	var views int64
	if page != "" {
		stored, err := a.stored(ctx, in.ID, []string{page})
		if err != nil {
			return Counts{}, err
		}
		views = stored[0]
	}
	s := a.lock(in.ID)
	defer s.mu.Unlock()
	now := a.cfg.Now()
	s.seen = now
	if err := a.open(ctx, s, s.today(in, now), now); err != nil {
		return Counts{}, err
	}
	c := s.counts(now)
	if page != "" {
		c.PageViews = views + s.pages[page]
	}
	return c, nil
}

// PageViews are the views of several pages of a site, by canonical key, in the order asked.
func (a *Audience) PageViews(ctx context.Context, in comments.Site, pages []string) ([]int64, error) {
	a.writing.RLock()
	defer a.writing.RUnlock()
	views, err := a.stored(ctx, in.ID, pages)
	if err != nil {
		return nil, err
	}
	s := a.lock(in.ID)
	defer s.mu.Unlock()
	for i, p := range pages {
		views[i] += s.pages[p]
	}
	return views, nil
}

// Dropped is how many views were not counted because too much waited for a store that
// can't write.
func (a *Audience) Dropped() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dropped
}
