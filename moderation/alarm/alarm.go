// Package alarm tells when a site or a page is under attack: from how much comes in a
// minute against how much comes usually, from wrong codes, and from what moderators say.
// It implements comments.Alarm and keeps to moderation.DocumentStore what all nodes have
// to know.
package alarm

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// What is loud: more comments in a minute than Times the median of the last hour's minutes,
// but at least the least named here, or more than WrongMost wrong codes.
const (
	Times     = 5
	SiteLeast = 120
	PageLeast = 60
	WrongMost = 50
)

// PagesMost bounds the pages that are listened to by themselves. Others count for their
// site alone.
const PagesMost = 20_000

// Every is how often Tick is due.
const Every = time.Second

// Counter adds up what comes to all nodes.
type Counter interface {
	// Add adds what came to this node and returns what came to all, in the order given.
	Add(ctx context.Context, news []comments.Arrival) ([]comments.Arrival, error)
}

// SiteReader finds sites.
type SiteReader interface {
	Sites(ctx context.Context) ([]comments.Site, error)
}

// Config is what an Alarm works with. Fields without a remark are needed.
type Config struct {
	Documents moderation.DocumentStore
	Sites     SiteReader
	Counter   Counter // nil = this node is alone
	Now       func() time.Time
	Log       *slog.Logger // nil = silent
}

// place is a site (with a page of nought) or a page.
type place struct {
	site string
	page [16]byte
}

// Alarm listens and tells. It is safe for concurrent use.
type Alarm struct {
	cfg Config

	mu      sync.RWMutex
	heard   map[place]*record
	pages   int
	attacks map[place]moderation.Attack
	sudden  map[place]bool  // loud since the last Tick, and not yet told
	stale   map[string]bool // sites whose attacks have to be read again
}

// New makes an Alarm. Observe is to be told of every commit, and Tick to be called.
func New(cfg Config) *Alarm {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Alarm{cfg: cfg, heard: map[place]*record{}, attacks: map[place]moderation.Attack{}, sudden: map[place]bool{}, stale: map[string]bool{}}
}

// Raised implements comments.Alarm.
func (a *Alarm) Raised(site comments.Site, page [16]byte) bool {
	switch site.Settings.AttackMode {
	case comments.AttackOn:
		return true
	case comments.AttackOff:
		return false
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.raised(place{site: site.ID}) || a.raised(place{site.ID, page})
}

func (a *Alarm) raised(p place) bool {
	if len(a.attacks)+len(a.sudden) == 0 {
		return false
	}
	_, told := a.attacks[p]
	return told || a.sudden[p]
}

// Arrived implements comments.Alarm.
func (a *Alarm) Arrived(site comments.Site, page comments.Page) { a.hear(site, page, 1, 0) }

// Wrong implements comments.Alarm.
func (a *Alarm) Wrong(site comments.Site, page comments.Page) { a.hear(site, page, 0, 1) }

func (a *Alarm) hear(site comments.Site, page comments.Page, came, wrong int64) {
	if site.Settings.AttackMode != comments.AttackAuto || !site.Settings.RateLimit {
		return
	}
	minute := a.cfg.Now().Unix() / 60
	a.mu.Lock()
	defer a.mu.Unlock()
	places := []place{{site: site.ID}}
	if page.Key != "" {
		places = append(places, place{site.ID, comments.PageHash(site.ID, page.Key)})
	}
	for i, p := range places {
		key := ""
		if i > 0 {
			key = page.Key
		}
		r := a.record(p, key)
		if r == nil {
			continue
		}
		r.add(minute, came, wrong)
		// A flood is met at once; the next Tick tells the others.
		if why, _ := r.loud(r.minute, i == 0, 0); why != "" {
			a.sudden[p] = true
		}
	}
}

// record is what was heard of a place; nil for one page more than is listened to.
func (a *Alarm) record(p place, key string) *record {
	r := a.heard[p]
	if r == nil {
		if key != "" {
			if a.pages >= PagesMost {
				return nil
			}
			a.pages++
		}
		r = &record{key: key}
		a.heard[p] = r
	}
	return r
}

// Observe marks a site whose attacks have changed, here or on another node.
func (a *Alarm) Observe(c comments.Commit) {
	switch c.Event.Kind {
	case moderation.KindAttackBegan, moderation.KindAttackEnded:
		a.mark(c.Event.Site)
	case comments.KindSiteRemoved:
		a.mark(c.Event.Subject)
	}
}

func (a *Alarm) mark(site string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stale[site] = true
}

// Run loads what stands and ticks until ctx ends.
func (a *Alarm) Run(ctx context.Context) error {
	a.Load(ctx)
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.Tick(ctx)
		}
	}
}

// Load reads the attacks of all sites.
func (a *Alarm) Load(ctx context.Context) {
	sites, err := a.cfg.Sites.Sites(ctx)
	if err != nil {
		a.complain(ctx, "the sites can't be read", err)
	}
	for _, s := range sites {
		a.mark(s.ID)
	}
	a.refresh(ctx)
}

// Tick adds up what came, begins and ends attack mode where it is due, and takes over what
// others decided. What fails is logged and tried again by the next.
func (a *Alarm) Tick(ctx context.Context) {
	a.refresh(ctx)
	news, places := a.collect()
	if a.cfg.Counter != nil && len(news) > 0 {
		all, err := a.cfg.Counter.Add(ctx, news)
		if err != nil {
			a.complain(ctx, "what came to all nodes can't be added up", err)
			a.putBack(places, news)
		} else {
			a.takeOver(places, all)
		}
	}
	a.judge(ctx)
}

func (a *Alarm) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		a.cfg.Log.Warn("attack mode: "+what, "err", err)
	}
}

// refresh reads the attacks of the sites that are marked.
func (a *Alarm) refresh(ctx context.Context) {
	a.mu.Lock()
	stale := a.stale
	a.stale = map[string]bool{}
	a.mu.Unlock()
	for site := range stale {
		documents, err := a.cfg.Documents.Documents(ctx, site, moderation.DocAttack)
		if err != nil {
			a.complain(ctx, "attacks can't be read", err)
			a.mark(site)
			continue
		}
		a.mu.Lock()
		for p := range a.attacks {
			if p.site == site {
				delete(a.attacks, p)
			}
		}
		for _, d := range documents {
			attack, err := moderation.ReadAttack(d)
			if err != nil {
				a.cfg.Log.Error("attack mode: a document is damaged", "err", err)
				continue
			}
			a.attacks[placeOf(attack)] = attack
		}
		a.mu.Unlock()
	}
}

func placeOf(a moderation.Attack) place {
	if a.Page == "" {
		return place{site: a.Site}
	}
	return place{a.Site, comments.PageHash(a.Site, a.Page)}
}

// Raisings is how many sites and pages are in attack mode, by site, without those whose
// setting says so.
func (a *Alarm) Raisings() map[string]int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	n := map[string]int{}
	for p := range a.attacks {
		n[p.site]++
	}
	return n
}

// due is what judge decided to do about a place.
type due struct {
	attack moderation.Attack
	by     string
	kind   comments.Kind // "" = only note that it is loud
}

// judge begins, notes and ends. The store is asked outside the lock.
func (a *Alarm) judge(ctx context.Context) {
	for _, d := range a.dues() {
		if err := a.do(ctx, d); err != nil {
			// Another node was quicker, or the store is away: the next tick sees.
			if !errors.Is(err, comments.ErrConflict) && !errors.Is(err, comments.ErrNotFound) {
				a.complain(ctx, "it can't be written", err)
			}
		}
		a.mark(d.attack.Site)
	}
	a.refresh(ctx)
}

func (a *Alarm) dues() (list []due) {
	now := a.cfg.Now().UTC().Truncate(time.Millisecond)
	minute := now.Unix() / 60
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.sudden)
	for p, r := range a.heard {
		if r.idle(minute) {
			delete(a.heard, p)
			if r.key != "" {
				a.pages--
			}
			continue
		}
		attack, raised := a.attacks[p]
		why, most := r.loud(minute, p.page == [16]byte{}, attack.Most)
		switch {
		case why == "":
		case !raised:
			list = append(list, due{moderation.Attack{
				Site: p.site, Page: r.key, By: comments.ActorSystem, Why: why, At: now, Loud: now, Most: most,
			}, comments.ActorSystem, moderation.KindAttackBegan})
		case attack.Why != moderation.AttackByHand && now.Sub(attack.Loud) >= time.Minute:
			attack.Loud = now
			list = append(list, due{attack: attack, by: comments.ActorSystem})
		}
	}
	for _, attack := range a.attacks {
		loud := slices.ContainsFunc(list, func(d due) bool { return placeOf(d.attack) == placeOf(attack) })
		if attack.Why != moderation.AttackByHand && !loud && now.Sub(attack.Loud) >= moderation.QuietFor {
			list = append(list, due{attack, comments.ActorSystem, moderation.KindAttackEnded})
		}
	}
	return list
}

// do writes one. Before it ends an attack it looks whether another node heard something.
func (a *Alarm) do(ctx context.Context, d due) error {
	document, err := d.attack.Document(d.by)
	if err != nil {
		return err
	}
	if d.kind != moderation.KindAttackEnded {
		_, err = a.cfg.Documents.PutDocument(ctx, document, d.kind)
		return err
	}
	stands, err := a.cfg.Documents.Document(ctx, document.Site, document.Kind, document.ID)
	if err != nil {
		return err
	}
	attack, err := moderation.ReadAttack(stands)
	if err == nil && a.cfg.Now().Sub(attack.Loud) < moderation.QuietFor {
		return nil
	}
	stands.By, stands.Data = d.by, nil
	return a.cfg.Documents.RemoveDocument(ctx, stands, d.kind)
}

// Going are the attacks of a site that go on as far as its setting lets them, the whole
// site's first. One that the setting itself keeps up says so and has no beginning.
func (a *Alarm) Going(ctx context.Context, site comments.Site) []moderation.Attack {
	switch site.Settings.AttackMode {
	case comments.AttackOn:
		return []moderation.Attack{{Site: site.ID, By: comments.ActorOperator, Why: moderation.AttackBySetting}}
	case comments.AttackOff:
		return nil
	}
	a.mu.RLock()
	stale := len(a.stale) > 0
	a.mu.RUnlock()
	if stale { // somebody who has just begun one sees it at once
		a.refresh(ctx)
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	var list []moderation.Attack
	for p, attack := range a.attacks {
		if p.site == site.ID {
			list = append(list, attack)
		}
	}
	moderation.SortAttacks(list)
	return list
}
