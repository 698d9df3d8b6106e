// Package live tells whoever listens to a page that something new stands on it.
//
// A Hub observes the store and says how many comments a page gained, never what they are:
// a listener asks for those as any reader does. What is told is counted together, so a
// listener that is busy has one thing waiting, however much happened, and costs the hub a
// few hundred bytes and no goroutine and no timer of its own.
//
// It keeps the latest public changes of each site for listeners that come back, and nothing
// on a disk.
package live

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"duyet/comments"
)

// Why a listener is refused or let go.
var (
	ErrFull       = errors.New("too many listeners")                // all together; come back later
	ErrFullForOne = errors.New("too many listeners of one network") // of this network; come back later
	ErrSlow       = errors.New("listener too slow")
	ErrMoved      = errors.New("the page moved")
	ErrClosed     = errors.New("no longer live")
)

// Config bounds a Hub. Zero fields get the defaults.
type Config struct {
	Most       int           // listeners at once; 20,000
	PerNetwork int           // of one network (IPv4 address, IPv6 /64); 200, since offices share one
	Heartbeat  time.Duration // how often an idle listener is woken; 25 s
	Remembered int           // changes kept of each site for those who come back; 256
	// Head is the latest sequence number of a site's journal (comments.Journal); it is asked
	// once a site. Without it, whoever comes back before the site's first change since the
	// program started is told to look at the page.
	Head func(ctx context.Context, site string) (uint64, error)
}

// slots divide a heartbeat, so that listeners aren't all woken at once.
const slots = 50

// Hub is where listeners wait. It is safe for concurrent use.
type Hub struct {
	cfg  Config
	stop chan struct{}
	done chan struct{}

	mu       sync.Mutex
	closed   bool
	count    int
	pages    map[pageKey]*Listener // first of a page's listeners
	networks map[netip.Addr]int
	wheel    [slots]*Listener // first of those woken together
	turn     int              // slot that is next
	sites    map[string]*history
}

type pageKey struct{ site, page string }

// change is one public change of a page.
type change struct {
	seq  uint64
	page string
	what effect
}

// effect is what a change does to the number of comments that readers see.
type effect uint8

const (
	nothing effect = iota
	added
	removed
	unsure
)

// effectOf compares whether a comment stands before and after a commit. An edit that waits
// leaves the earlier words standing, so nothing is gained when it is approved. Of a commit
// made elsewhere the words before are not known: whether a pending comment stood is sure
// only if it was never edited.
func effectOf(c comments.Commit) effect {
	e := c.Event
	stood, stands := e.From == comments.Approved || c.Stood, e.To == comments.Approved || c.Comment.Standing()
	if c.Elsewhere {
		stood, stands = e.From == comments.Approved, e.To == comments.Approved
		if e.Kind == comments.KindEdited && stood {
			stands = stands || e.To == comments.Pending
		} else if e.From == comments.Pending && !c.Comment.EditedAt.IsZero() && e.To != comments.Pending {
			return unsure
		}
	}
	switch {
	case stands && !stood:
		return added
	case stood && !stands:
		return removed
	}
	return nothing
}

// history is the latest changes of a site. What is older than since is not known.
type history struct {
	since, last uint64
	ring        []change
	next        int // place of the oldest once the ring is full
}

// New starts a hub; Close ends it.
func New(cfg Config) *Hub {
	or := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	or(&cfg.Most, 20_000)
	or(&cfg.PerNetwork, 200)
	or(&cfg.Remembered, 256)
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 25 * time.Second
	}
	h := &Hub{
		cfg: cfg, stop: make(chan struct{}), done: make(chan struct{}),
		pages: map[pageKey]*Listener{}, networks: map[netip.Addr]int{}, sites: map[string]*history{},
	}
	go h.beat()
	return h
}

// Observe is told of commits: give it to the store (comments.Observable). It never waits.
func (h *Hub) Observe(c comments.Commit) {
	e := c.Event
	if e.Kind == comments.KindSiteRemoved {
		h.mu.Lock()
		delete(h.sites, e.Subject)
		h.mu.Unlock()
		return
	}
	if e.Site == comments.Installation {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	past, ok := h.sites[e.Site]
	if !ok {
		past = &history{since: e.Seq - 1}
		h.sites[e.Site] = past
	}
	past.last = max(past.last, e.Seq)
	if e.Kind == comments.KindPageMerged || e.Kind == comments.KindPageRenamed {
		h.moved(e, past)
		return
	}
	one := change{seq: e.Seq, page: c.Page, what: effectOf(c)}
	if c.Page == "" || one.what == nothing {
		return
	}
	h.tell(e.Site, past, one)
}

// tell lets a page's listeners know, and remembers it for those who come back.
func (h *Hub) tell(site string, past *history, one change) {
	past.add(one, h.cfg.Remembered)
	for l := h.pages[pageKey{site, one.page}]; l != nil; l = l.nextOnPage {
		l.tell(one)
	}
}

// moved lets those go who listen to a page that moved: they come back by the address they
// know, which leads to where it stands now, and are told to look there.
func (h *Hub) moved(e comments.Event, past *history) {
	for _, m := range comments.MovesOf(e.Subject) {
		for l := h.pages[pageKey{e.Site, m.From}]; l != nil; {
			next := l.nextOnPage
			l.end(ErrMoved)
			h.remove(l)
			l = next
		}
		h.tell(e.Site, past, change{seq: e.Seq, page: m.To, what: unsure})
	}
}

func (p *history) add(one change, most int) {
	if len(p.ring) < most {
		p.ring = append(p.ring, one)
		return
	}
	p.since = p.ring[p.next].seq
	p.ring[p.next] = one
	p.next = (p.next + 1) % most
}

// missed is what a listener who has seen everything up to seq missed.
func (h *Hub) missed(site, page string, seq uint64) News {
	past := h.sites[site]
	if past == nil || seq < past.since {
		// Not a change is known since the program started, or too many to know all.
		n := News{Seq: seq, Unknown: true}
		if past != nil {
			n.Seq = past.last
		}
		return n
	}
	n := News{Seq: max(seq, past.last)}
	for i := range past.ring {
		one := past.ring[(past.next+i)%len(past.ring)]
		if one.page == page && one.seq > seq {
			n.count(one)
		}
	}
	return n
}

// Seq is the sequence number of a site's journal up to which everything is told: who
// listens from there on, and reads the page after asking, misses nothing. It is 0 when
// nothing is known of the site yet.
func (h *Hub) Seq(ctx context.Context, site string) uint64 {
	h.learn(ctx, site)
	h.mu.Lock()
	defer h.mu.Unlock()
	if past := h.sites[site]; past != nil {
		return past.last
	}
	return 0
}

// Listeners is how many listen now.
func (h *Hub) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// beat wakes a share of the listeners after another.
func (h *Hub) beat() {
	defer close(h.done)
	tick := time.NewTicker(h.cfg.Heartbeat / slots)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.stop:
			return
		}
		h.mu.Lock()
		for l := h.wheel[h.turn]; l != nil; {
			next := l.nextInSlot // beaten may take l out
			l.beaten()
			l = next
		}
		h.turn = (h.turn + 1) % slots
		h.mu.Unlock()
	}
}

// Close lets all listeners go at once, and whoever comes later. It may be called again.
func (h *Hub) Close() {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.stop)
		for _, first := range h.wheel {
			for l := first; l != nil; l = l.nextInSlot {
				l.end(ErrClosed)
			}
		}
	}
	h.mu.Unlock()
	<-h.done
}

// Seen is where a listener that comes for the first time starts from.
const Seen = ^uint64(0)

// Subscribe adds a listener to a page, by canonical key, from a client's address. after is
// the sequence number of the site's journal up to which the listener has seen everything:
// what came since is told at once; Seen means that it wants to know of later changes alone.
// Errors: ErrFull, ErrFullForOne, ErrClosed. Close the listener when done.
func (h *Hub) Subscribe(ctx context.Context, site, page string, from netip.Addr, after uint64) (*Listener, error) {
	from = from.Unmap().WithZone("")
	if p, err := from.Prefix(min(64, from.BitLen())); err == nil {
		from = p.Addr()
	}
	h.learn(ctx, site)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case h.count >= h.cfg.Most:
		return nil, ErrFull
	case h.networks[from] >= h.cfg.PerNetwork:
		return nil, ErrFullForOne
	}
	l := &Listener{hub: h, page: pageKey{site, page}, from: from, wake: make(chan struct{}, 1)}
	l.slot = (h.turn + h.count) % slots
	if after != Seen {
		l.news = h.missed(site, page, after)
	} else if past := h.sites[site]; past != nil {
		l.news.Seq = past.last
	}
	if !l.news.Heartbeat() {
		l.signal()
	}
	h.insert(l)
	return l, nil
}

// learn asks where a site's journal ends, when nothing is known of the site. A site that
// can't be asked for is learned of with its next change.
func (h *Hub) learn(ctx context.Context, site string) {
	h.mu.Lock()
	known := h.sites[site] != nil
	h.mu.Unlock()
	if known || h.cfg.Head == nil {
		return
	}
	seq, err := h.cfg.Head(ctx, site)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sites[site] == nil {
		h.sites[site] = &history{since: seq, last: seq}
	}
}
