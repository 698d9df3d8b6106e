package web

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Likes are many, and each would have a thread rendered anew. So the first one of a page is
// shown at once, and those that follow within likesEvery together at its end: a storm of
// likes costs a page one rendering in that time, and no count shown is older.
const likesEvery = 2 * time.Second

// liked is when the likes of a page were last shown, and when they are due again; Unix
// nanoseconds. Pages share them out by hash, as they do generations.
type liked struct{ shown, due atomic.Int64 }

// counted reports whether a rendering made at a moment still shows the likes it should: all
// until they were last shown, and those since then until they are due.
func (l *liked) counted(rendered time.Time, now func() time.Time) bool {
	at, due := rendered.UnixNano(), l.due.Load()
	return at > l.shown.Load() && (at > due || now().UnixNano() < due)
}

// change notes that likes have changed at a moment. However its callers race, both moments
// only ever move on.
func (l *liked) change(now int64) {
	for {
		shown := l.shown.Load()
		next := shown + int64(likesEvery)
		if next <= now {
			if l.shown.CompareAndSwap(shown, now) {
				return
			}
			continue
		}
		if due := l.due.Load(); due >= next || l.due.CompareAndSwap(due, next) {
			return
		}
	}
}

// likesOf is what a page's likes are counted by.
func (c *cache) likesOf(site, page string) *liked {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(site)
	h.WriteByte(0)
	h.WriteString(page)
	return &c.liked[h.Sum64()%likedMost]
}

// observeLikes has the renderings of a page show its likes anew; those of every page for "".
func (c *cache) observeLikes(site, page string) {
	now := c.now().UnixNano()
	if page != "" {
		c.likesOf(site, page).change(now)
		return
	}
	for i := range c.liked {
		c.liked[i].change(now)
	}
}
