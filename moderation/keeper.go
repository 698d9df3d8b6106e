package moderation

import (
	"context"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"duyet/comments"
)

// Keeper keeps what is made of a kind of documents in memory, a value a site, and makes it
// anew when the journal tells of a change, by this node or another. Documents of
// comments.Installation come before the site's own. It is safe for concurrent use; reading
// what is kept takes no lock.
type Keeper[T any] struct {
	store DocumentStore
	kind  string
	build func(site string, documents []Document) (T, error)

	mu   sync.Mutex // taken to make a value, and to forget
	kept atomic.Pointer[map[string]kept[T]]
	era  map[string]uint64 // how often a site was forgotten
}

type kept[T any] struct {
	value T
	err   error
}

// NewKeeper makes one whose values build makes. What build refuses is kept as its error
// until the documents change. Let Observe hear of every commit.
func NewKeeper[T any](store DocumentStore, kind string, build func(site string, documents []Document) (T, error)) *Keeper[T] {
	k := &Keeper[T]{store: store, kind: kind, build: build, era: map[string]uint64{}}
	k.kept.Store(&map[string]kept[T]{})
	return k
}

// Of is the value of a site. The error is build's, or the store's when it can't be read
// now, which is not kept.
func (k *Keeper[T]) Of(ctx context.Context, site string) (T, error) {
	if v, ok := (*k.kept.Load())[site]; ok {
		return v.value, v.err
	}
	var none T
	for {
		k.mu.Lock()
		era, all := k.era[site], k.era[comments.Installation]
		k.mu.Unlock()
		documents, err := k.store.Documents(ctx, comments.Installation, k.kind)
		if err != nil {
			return none, err
		}
		if site != comments.Installation {
			own, err := k.store.Documents(ctx, site, k.kind)
			if err != nil {
				return none, err
			}
			documents = append(documents, own...)
		}
		v, err := k.build(site, documents)
		k.mu.Lock()
		fresh := era == k.era[site] && all == k.era[comments.Installation]
		if fresh { // else somebody has changed it meanwhile
			next := maps.Clone(*k.kept.Load())
			next[site] = kept[T]{v, err}
			k.kept.Store(&next)
		}
		k.mu.Unlock()
		if fresh {
			return v, err
		}
	}
}

// Observe forgets what a commit has made stale. It is a comments.Observer.
func (k *Keeper[T]) Observe(c comments.Commit) {
	e := c.Event
	switch {
	case e.Kind == comments.KindSiteRemoved:
		k.forget(e.Subject)
	case c.Comment.ID == "" && strings.HasPrefix(e.Subject, k.kind+"/"):
		k.forget(e.Site)
	}
}

func (k *Keeper[T]) forget(site string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.era[site]++
	next := map[string]kept[T]{}
	if site != comments.Installation {
		next = maps.Clone(*k.kept.Load())
		delete(next, site)
	}
	k.kept.Store(&next)
}
