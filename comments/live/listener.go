package live

import (
	"context"
	"net/netip"
)

// News is what a page gained and lost since the listener was last told. The zero News is a
// heartbeat.
type News struct {
	// Seq is the latest sequence number of the site's journal that is counted in: what to
	// come back with.
	Seq     uint64
	Added   int  // comments that became public
	Removed int  // comments that no longer are
	Unknown bool // so much happened, or so long ago, that only a look at the page tells
}

// Heartbeat reports whether there is nothing new.
func (n News) Heartbeat() bool { return n.Added == 0 && n.Removed == 0 && !n.Unknown }

func (n *News) count(one change) {
	n.Seq = max(n.Seq, one.seq)
	switch one.what {
	case added:
		n.Added++
	case removed:
		n.Removed++
	default:
		n.Unknown = true
	}
}

// Listener listens to one page. One goroutine at a time may Wait.
type Listener struct {
	hub  *Hub
	wake chan struct{}
	page pageKey
	from netip.Addr
	slot int

	// guarded by the hub
	news  News
	beats int // heartbeats not taken yet
	ended error
	out   bool

	nextOnPage, prevOnPage *Listener
	nextInSlot, prevInSlot *Listener
}

// Wait returns what is new, or a heartbeat when for a while nothing is. Its error is the
// context's, ErrSlow when the listener let two heartbeats pass without waiting, ErrMoved when
// the page has another key, or ErrClosed when the hub or the listener is closed; there is nothing to wait for after any of them.
func (l *Listener) Wait(ctx context.Context) (News, error) {
	select {
	case <-l.wake:
	case <-ctx.Done():
		return News{}, context.Cause(ctx)
	}
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if l.ended != nil {
		l.signal() // for whoever waits again
		return News{}, l.ended
	}
	n := l.news
	l.news, l.beats = News{Seq: n.Seq}, 0
	return n, nil
}

// Close lets the listener go. It may be called again.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.end(ErrClosed)
	l.hub.remove(l)
}

func (l *Listener) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// tell counts a change, unless the listener came after it.
func (l *Listener) tell(one change) {
	if one.seq <= l.news.Seq {
		return
	}
	l.news.count(one)
	l.signal()
}

// beaten is told of each heartbeat.
func (l *Listener) beaten() {
	if l.beats++; l.beats > 2 {
		l.end(ErrSlow)
		l.hub.remove(l)
		return
	}
	l.signal()
}

func (l *Listener) end(why error) {
	if l.ended == nil {
		l.ended = why
	}
	l.signal()
}

// insert puts a listener into its lists.
func (h *Hub) insert(l *Listener) {
	h.count++
	h.networks[l.from]++
	if l.nextOnPage = h.pages[l.page]; l.nextOnPage != nil {
		l.nextOnPage.prevOnPage = l
		l.page = l.nextOnPage.page // one copy of the key for all
	}
	h.pages[l.page] = l
	if l.nextInSlot = h.wheel[l.slot]; l.nextInSlot != nil {
		l.nextInSlot.prevInSlot = l
	}
	h.wheel[l.slot] = l
}

// remove takes a listener out of its lists.
func (h *Hub) remove(l *Listener) {
	if l.out {
		return
	}
	l.out = true
	h.count--
	if h.networks[l.from]--; h.networks[l.from] == 0 {
		delete(h.networks, l.from)
	}
	if l.nextOnPage != nil {
		l.nextOnPage.prevOnPage = l.prevOnPage
	}
	switch {
	case l.prevOnPage != nil:
		l.prevOnPage.nextOnPage = l.nextOnPage
	case l.nextOnPage != nil:
		h.pages[l.page] = l.nextOnPage
	default:
		delete(h.pages, l.page)
	}
	if l.nextInSlot != nil {
		l.nextInSlot.prevInSlot = l.prevInSlot
	}
	if l.prevInSlot != nil {
		l.prevInSlot.nextInSlot = l.nextInSlot
	} else {
		h.wheel[l.slot] = l.nextInSlot
	}
	l.nextOnPage, l.prevOnPage, l.nextInSlot, l.prevInSlot = nil, nil, nil, nil
}
