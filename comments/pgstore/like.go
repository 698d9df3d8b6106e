package pgstore

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// Likes stand in no journal, so nodes tell each other of the pages on which they have
// changed. What can't be told now is told with the next nudge; a node that could not listen
// for a while takes it that every page has changed.

// likeTellings is whom this node tells of likes, and what the others are still to be told.
type likeTellings struct {
	mu        sync.Mutex
	observers []func(site, page string)
	changed   map[likedPage]bool
}

type likedPage struct {
	Site string `json:"site"`
	Page string `json:"page"`
}

// likesMessage is told on likesChannel.
type likesMessage struct {
	Node  string      `json:"node"`
	Pages []likedPage `json:"pages"`
}

const (
	likesChannel = "duyet_likes"
	// messageMost is how many bytes of keys a message holds, unless a single one is longer. A
	// notification may have 8,000, and escaping makes keys longer.
	messageMost = 2000
)

// ObserveLikes implements comments.Liker.
func (db *DB) ObserveLikes(o func(site, page string)) {
	db.likes.mu.Lock()
	defer db.likes.mu.Unlock()
	db.likes.observers = append(db.likes.observers, o)
}

// likesChanged tells of a page, here and soon elsewhere.
func (db *DB) likesChanged(site, page string) {
	db.tellLikes(site, page)
	db.likes.add(likedPage{site, page})
	db.nudge()
}

func (db *DB) tellLikes(site, page string) {
	db.likes.mu.Lock()
	observers := db.likes.observers
	db.likes.mu.Unlock()
	for _, o := range observers {
		o(site, page)
	}
}

// sendLikes tells the other nodes.
func (db *DB) sendLikes(ctx context.Context) {
	changed := db.likes.take()
	for len(changed) > 0 {
		m := likesMessage{Node: db.node}
		size := 0
		for p := range changed {
			if size += len(p.Site) + len(p.Page); size > messageMost && len(m.Pages) > 0 {
				break
			}
			m.Pages = append(m.Pages, p)
		}
		text, err := json.Marshal(m)
		if err == nil {
			_, err = db.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, likesChannel, string(text))
		}
		if err != nil {
			db.likes.add(slices.Collect(maps.Keys(changed))...)
			db.nudge()
			return
		}
		for _, p := range m.Pages {
			delete(changed, p)
		}
	}
}

func (t *likeTellings) add(pages ...likedPage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = map[likedPage]bool{}
	}
	for _, p := range pages {
		t.changed[p] = true
	}
}

func (t *likeTellings) take() map[likedPage]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := t.changed
	t.changed = nil
	return changed
}

// hearLikes takes what another node has told.
func (db *DB) hearLikes(payload string) {
	var m likesMessage
	if json.Unmarshal([]byte(payload), &m) != nil || m.Node == db.node {
		return
	}
	for _, p := range m.Pages {
		db.tellLikes(p.Site, p.Page)
	}
}
