package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments"
)

// cachesAgree holds the nodes' threads against each other, once nobody writes any more.
func (c *chaos) cachesAgree() {
	for page := range chaosPages {
		for _, path := range []string{
			threadPath(page),
			"/s/" + testSite + "/fragment?limit=1000&page=" + url.QueryEscape(chaosPage(page)),
		} {
			c.until("the same on all nodes: "+path, func() bool {
				first := c.get(c.nodes[0], path)
				for _, n := range c.nodes[1:] {
					if !bytes.Equal(first, c.get(n, path)) {
						return false
					}
				}
				return true
			})
		}
	}
}

func (c *chaos) get(n *node, path string) []byte {
	resp, err := n.client.Get(*n.base.Load() + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s on %s: %d, %v", path, n.name, resp.StatusCode, err)
	}
	return body
}

// audit opens the database that is left and holds it to every answer that was given.
func (c *chaos) audit() {
	t := c.t
	store, err := storage.Open(t.Context(), storage.Options{Dir: t.TempDir(), DSN: c.dsn, Secret: c.secret.Text()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	problems, err := store.Check(t.Context(), nil)
	if err != nil || len(problems) > 0 {
		t.Errorf("the store is not sound: %v %v", problems, err)
	}
	for _, site := range []string{testSite, comments.Installation} {
		if _, err := store.Comments().VerifyChain(t.Context(), site); err != nil {
			t.Error(err)
		}
	}
	l := newLedger(c, store)
	l.posts()
	l.decisions()
	c.troubles()
}

// ledger is what the journal says happened.
type ledger struct {
	*chaos
	store     *storage.Storage
	submitted map[string]int // by id
	decided   map[string][]comments.Transition
}

func newLedger(c *chaos, store *storage.Storage) *ledger {
	l := &ledger{chaos: c, store: store, submitted: map[string]int{}, decided: map[string][]comments.Transition{}}
	for after := uint64(0); ; {
		events, err := store.Comments().Events(c.t.Context(), testSite, after, 500)
		if err != nil {
			c.t.Fatal(err)
		}
		if len(events) == 0 {
			return l
		}
		for _, e := range events {
			after = e.Seq
			switch e.Kind {
			case comments.KindSubmitted:
				l.submitted[string(e.Comment)]++
			case comments.KindDecided:
				l.decided[string(e.Comment)] = append(l.decided[string(e.Comment)], e)
			}
		}
	}
}

// posts: each that was answered is there with its words, once, and so is nothing else.
func (l *ledger) posts() {
	words := map[string]string{}
	for id, times := range l.submitted {
		found, err := l.store.Comments().Comment(l.t.Context(), comments.ID(id))
		if err != nil {
			l.t.Fatal(err)
		}
		if other := words[found.Content]; times > 1 || other != "" {
			l.t.Errorf("%q is there more than once: as %s and %s", found.Content, id, other)
		}
		words[found.Content] = id
	}
	for _, p := range l.crowd.posted {
		if words[p.content] != p.id {
			l.t.Errorf("%s was let in with %q, and what is there is %q", p.id, p.content, words[p.content])
		}
	}
	if len(words) != len(l.crowd.posted) {
		l.t.Errorf("%d comments are there, %d were answered", len(words), len(l.crowd.posted))
	}
}

// decisions: each that was answered is there, by whom and as answered, and no comment has
// two.
func (l *ledger) decisions() {
	people, err := l.store.Moderation().Moderators(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	emails := map[string]string{}
	for _, m := range people {
		emails[m.ID] = m.Email
	}
	for id, list := range l.decided {
		if len(list) > 1 {
			l.t.Errorf("%s was decided %d times", id, len(list))
		}
	}
	for _, d := range l.crowd.decided {
		list, email := l.decided[d.id], fmt.Sprintf("bien-tap-%d@news.example", d.moderator)
		if len(list) == 0 || emails[list[0].Actor] != email || string(list[0].To) != d.status {
			l.t.Errorf("%s made %s %s, and the journal has %+v", email, d.id, d.status, list)
		}
		found, err := l.store.Comments().Comment(l.t.Context(), comments.ID(d.id))
		if err != nil || string(found.Status) != d.status {
			l.t.Errorf("%s was made %s and is %s, %v", d.id, d.status, found.Status, err)
		}
	}
}

// grace is how long after the nodes are ready a request may still meet an error, or be on
// its way again that met one before. Two loaded processors want some.
const grace = 5 * time.Second

// troubles: nobody met an error but while something was broken, and nobody did much longer
// than that.
func (c *chaos) troubles() {
	longest := map[*outage]time.Duration{}
	for _, tr := range c.crowd.troubles {
		// The last one that had begun.
		i := len(c.outages) - 1
		for i >= 0 && c.outages[i].began.After(tr.ended) {
			i--
		}
		if i < 0 || tr.began.After(c.outages[i].ended.Add(grace)) {
			c.t.Errorf("an error while nothing was broken: %v", tr.first)
			continue
		}
		o := c.outages[i]
		longest[o] = max(longest[o], tr.ended.Sub(tr.began))
		if tr.ended.After(o.ended.Add(grace)) {
			c.t.Errorf("%s: a request met errors for %s, %d times, the first %v", o.what, tr.ended.Sub(tr.began), tr.tries, tr.first)
		}
	}
	for _, o := range c.outages {
		c.say("%s: broken for %s, the longest that anybody met errors %s", o.what,
			o.ended.Sub(o.began).Round(time.Millisecond), longest[o].Round(time.Millisecond))
	}
}
