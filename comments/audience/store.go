package audience

import "context"

// Store keeps counts. All of its methods take canonical page keys and ids of sites that
// exist; a store need not check either. What the values mean is this package's matter: a
// store keeps bytes, and calls Kept's methods inside its transactions.
//
//   - FlushAudience is one transaction: all of it or nothing, durable when it returns nil.
//   - Several nodes may write to one store. Views add; sketches merge, in any order and
//     however often; so a delta that arrives twice may count its views twice and its visitors
//     once.
//   - A store that can't read or write now says comments.ErrUnavailable and works again by
//     itself.
//   - Removing a site removes its counts. Merging page b into a adds b's views to a's;
//     renaming a page moves them. comments.Store does both in its own transactions.
type Store interface {
	// LoadAudience is what is kept of a site and its day. If no salts are kept for that day,
	// the proposed ones are kept from now on and older ones forgotten (Kept.Open does so),
	// in one transaction, so that of several nodes that ask, all get the same.
	LoadAudience(ctx context.Context, site string, day Day, proposed Salts) (State, error)
	// FlushAudience adds what was counted. For each delta it merges what is kept of the
	// delta's site and day (Kept.Merge) and adds d.Pages to the views of the pages; a page
	// with no views yet starts at 0. The deltas of one call may name a site several times.
	// Sketches of days before d.Day-1 may be removed: nothing asks for them again.
	FlushAudience(ctx context.Context, deltas []Delta) error
	// PageViews are the views of pages of a site in the order asked, 0 for an unknown page.
	PageViews(ctx context.Context, site string, pages []string) ([]int64, error)
}

// Salts are what visitors are hashed with.
type Salts struct {
	Day  [saltSize]byte // for one day; then it is forgotten
	Live [saltSize]byte // for sketches that live five minutes
}

// State is what LoadAudience returns.
type State struct {
	Salts
	Kept
}

// Delta is what was counted since the last flush, of one site and day.
type Delta struct {
	Site   string
	Day    Day              // 0 when no day was open: then there are only Pages
	Sketch []byte           // of visitors not told before; nil when there are none
	Pages  map[string]int64 // views to add, by canonical page key
	Slots  []byte           // who was seen in the last minutes; nil unless nodes share a store
}

// Kept is what a store keeps for a site, each part under a key of its own. nil is nothing
// yet. The parts are opaque to the store.
type Kept struct {
	Summary []byte // of the site: a few hundred bytes, changed by every delta with Pages
	Slots   []byte // of the site: up to 200 KB; only where nodes share the store
	Sketch  []byte // of the site's day: up to 64 KB (200 KB for a moment); changed by new visitors
}
