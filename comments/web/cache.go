package web

import (
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"duyet/comments"
)

// cache holds what many readers are given alike, rendered once per change.
//
// What is rendered is stamped with the generations of its site and of its page (or, for
// what lists a whole site's comments, of that list) as they stood before the store was
// read. A commit raises the generations it concerns before whoever asked for it is
// answered, and an entry is good only as long as its stamp is: so nothing rendered from
// before a commit is served after it, however the two raced. Entries nobody can use any
// more go when room is needed.
//
// It is bounded in bytes. Pages that have no comment yet take no entry, so made-up
// addresses cost none of it.
type cache struct {
	entries *otter.Cache[key, *entry]
	aliases *otter.Cache[alias, aliased]
	flights singleflight.Group
	now     func() time.Time
	trusts  func() bool // whether what stands may be served; nil = always
	seed    maphash.Seed
	// generations are shared out by hash. Two pages that share one only make each other
	// render once more; but where many nodes approve a thousand a second, all of which each
	// node hears of, few of them would cost more hits than they save (1 MiB).
	generations [generationsMost]atomic.Uint64
	liked       [likedMost]liked // of pages, by hash as well
}

const (
	generationsMost = 1 << 17
	likedMost       = 1 << 14
)

// kind is what is rendered.
type kind uint8

const (
	kindFragment kind = iota + 1 // the thread, for other people's pages
	kindList                     // the thread, for our own page around it
	kindThread
	kindAtom
	kindJSONFeed
	kindLatest
	kindCounts
	kindLatestList
	kindCountOne
	kindDiscussed
	kindDiscussedList
)

// key names one rendering. Everything it depends on, but for what stamps tell, is in it.
type key struct {
	kind        kind
	site, page  string // page is the canonical key, "" for a whole site
	lang, after string
	sort        comments.Sort
	limit       int
	top, at     string // of trees: the one whose replies they are, or the comment to be there
}

// ofSite reports whether the rendering lists comments of more than one page.
func (k key) ofSite() bool { return k.page == "" || k.kind == kindCounts }

// alias is a request as it comes, so that a hit parses no query.
type alias struct {
	kind        kind
	site, query string
}

type aliased struct {
	key  key
	site uint64 // generation of the site whose settings the key was read with
}

const (
	aliasMost     = 1 << 10 // bytes of a query worth remembering
	entryOverhead = 1 << 10 // bytes of an entry beside its bodies and of its place in tables
	aliasOverhead = 512
)

func newCache(most int64, now func() time.Time) (*cache, error) {
	if most < 1<<20 {
		return nil, fmt.Errorf("a page cache of %d bytes is too small: 1 MiB at least", most)
	}
	c := &cache{now: now, seed: maphash.MakeSeed()}
	var err error
	if c.entries, err = otter.New(&otter.Options[key, *entry]{
		MaximumWeight: uint64(most - most/16),
		Weigher: func(k key, e *entry) uint32 {
			return weigh(e.weight() + len(k.page) + len(k.after) + len(k.top) + len(k.at) + entryOverhead)
		},
	}); err != nil {
		return nil, err
	}
	if c.aliases, err = otter.New(&otter.Options[alias, aliased]{
		MaximumWeight: uint64(most / 16),
		Weigher:       func(a alias, _ aliased) uint32 { return weigh(2*len(a.query) + aliasOverhead) },
	}); err != nil {
		return nil, err
	}
	return c, nil
}

func weigh(bytes int) uint32 { return uint32(min(int64(bytes), 1<<32-1)) }

// generation is the counter of a page ("" for what lists a whole site's comments) or, with
// settings, of a site as such.
func (c *cache) generation(site, page string, settings bool) *atomic.Uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(site)
	if settings {
		h.WriteByte(1)
	} else {
		h.WriteByte(0)
		h.WriteString(page)
	}
	return &c.generations[h.Sum64()%generationsMost]
}

// siteStamp is a site's generation. Take it before reading the site.
func (c *cache) siteStamp(site string) uint64 { return c.generation(site, "", true).Load() }

// observe raises the generations that a commit concerns.
func (c *cache) observe(commit comments.Commit) {
	e := commit.Event
	if e.Kind == comments.KindSiteRemoved {
		c.generation(e.Subject, "", true).Add(1)
		return
	}
	// What was not public and is not now changes nothing that readers see. (A page's first
	// comment makes the page known, and unknown pages have no entries.)
	if e.Comment != "" && !commit.Stood && !commit.Comment.Standing() {
		return
	}
	if commit.Page == "" {
		c.generation(e.Site, "", true).Add(1)
		return
	}
	c.generation(e.Site, commit.Page, false).Add(1)
	c.generation(e.Site, "", false).Add(1)
}

// hit is what a request as it comes was answered with before, if that still stands.
func (c *cache) hit(k kind, site, query string) *entry {
	a, ok := c.aliases.GetIfPresent(alias{k, site, query})
	if !ok || a.site != c.siteStamp(site) {
		return nil
	}
	return c.get(a.key)
}

// remember lets hit find a key by a request as it comes.
func (c *cache) remember(k key, stamp uint64, query string) {
	if len(query) <= aliasMost {
		c.aliases.Set(alias{k.kind, k.site, strings.Clone(query)}, aliased{k, stamp})
	}
}

func (c *cache) get(k key) *entry {
	if c.trusts != nil && !c.trusts() {
		return nil
	}
	if e, ok := c.entries.GetIfPresent(k); ok && e.fresh(c.now) {
		return e
	}
	return nil
}

// load is the entry of k, rendered by render when there is none. Any number of callers at
// once render once. stamp is the site's, taken before the site was read.
func (c *cache) load(ctx context.Context, k key, stamp uint64, render func(context.Context) (rendering, error)) (*entry, error) {
	if e := c.get(k); e != nil && e.stamp.site == stamp {
		return e, nil
	}
	page := k.page
	if k.ofSite() {
		page = ""
	}
	e := &entry{site: c.generation(k.site, "", true), own: c.generation(k.site, page, false)}
	e.stamp.site, e.stamp.own = stamp, e.own.Load()
	if e.rendered = c.now(); page != "" {
		e.likes = c.likesOf(k.site, page)
	}
	// A caller that comes after a commit has another stamp, so it never waits for, and is
	// never given, a rendering from before it.
	made, err, _ := c.flights.Do(k.flight(e.stamp), func() (any, error) {
		ctx, cancel := context.WithTimeout(comments.Shared(context.WithoutCancel(ctx), k.site), renderWithin)
		defer cancel()
		r, err := render(ctx)
		if err != nil {
			return nil, err
		}
		e.fill(r)
		if r.keep && e.fresh(c.now) {
			c.entries.Set(k, e)
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	return made.(*entry), nil
}

func (k key) flight(s stamp) string {
	return strings.Join([]string{
		strconv.Itoa(int(k.kind)), k.site, k.page, k.lang, k.after, string(k.sort), strconv.Itoa(k.limit), k.top, k.at,
		strconv.FormatUint(s.site, 10), strconv.FormatUint(s.own, 10),
	}, "\x00")
}
