package storetest

import (
	"slices"
	"testing"

	"duyet/comments"
)

func (b *Bench) movePage(from, to string, merge bool) (comments.Page, error) {
	return b.Store.MovePage(b.Ctx, comments.PageMove{Site: "news", From: from, To: to, URL: "url of " + to, Merge: merge, Actor: "m-1"})
}

func (b *Bench) aliases(want ...string) {
	b.T.Helper()
	got, err := b.Store.Aliases(b.Ctx, "news")
	b.Must(err)
	all := map[string]string{}
	for i := 0; i < len(want); i += 2 {
		all[want[i]] = want[i+1]
	}
	b.Equal("aliases", got, all)
}

// pageMerge: comments of all statuses become the other page's, in order of time; nothing of
// theirs changes but the page; the former key leads there.
func pageMerge(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("other")
	var all []comments.Comment
	for i := range 20 {
		c := b.Creation("news", []string{"a", "b"}[i%2], comments.Statuses[(i/2)%5])
		if i >= 10 {
			c.Comment.Parent = all[i-10].ID
		}
		all = append(all, b.Create(c))
	}
	b.Post("other", "a", comments.Approved)
	b.Post("news", "c", comments.Approved)
	counts, before := b.Head("news").Counts, b.Page("news", "b")
	p, err := b.movePage("a", "b", true)
	b.Must(err)
	b.Equal("the page", p, b.Page("news", "b"))
	if p.Counts != (comments.Counts{Pending: 4, Approved: 4, Rejected: 4, Spam: 4, Trashed: 4}) || p.Standing != 4 || p.Title != before.Title || p.URL != before.URL {
		t.Fatalf("merged: %+v", p)
	}
	var thread []comments.ID
	for _, c := range all {
		want := c
		want.Page = "b"
		got, err := b.Store.Comment(b.Ctx, c.ID)
		b.Must(err)
		b.Equal("comment", got, want)
		if c.Status == comments.Approved {
			thread = append(thread, c.ID)
		}
	}
	b.Equal("thread", b.ThreadIDs("news", "b", comments.Oldest, "", 100), thread)
	b.Equal("thread by the former key", b.ThreadIDs("news", "a", comments.Oldest, "", 100), thread)
	slices.Reverse(thread)
	b.Equal("newest", b.ThreadIDs("news", "a", comments.Newest, "", 100), thread)
	b.Equal("page by the former key", b.Page("news", "a"), p)
	b.Equal("counts of the site", b.Head("news").Counts, counts)
	b.Discussed("discussed", comments.DayOf(start), 9, "b", 4, "c", 1)
	b.aliases("a", "b")
	b.Equal("another site's page", b.ThreadIDs("other", "b", comments.Oldest, "", 5), []comments.ID{})

	late := b.Post("news", "a", comments.Approved) // by an old link
	b.Equal("page of a comment by the former key", late.Page, "b")
	reply := b.Creation("news", "a", comments.Pending)
	reply.Comment.Parent = late.ID
	b.Equal("a reply to it", b.Create(reply).Page, "b")
	b.amendTo(all[0].ID, comments.Approved)
	b.Equal("decided after the move", b.Page("news", "b").Standing, int64(6))
	events, err := b.Store.Events(b.Ctx, "news", b.Head("news").Seq-4, 1)
	b.Must(err)
	if e := events[0]; e.Kind != comments.KindPageMerged || e.Actor != "m-1" || e.Subject != "a → b" {
		t.Fatalf("event: %+v", e)
	}
	b.Verify("news")
}

// pageRename: a page gets another key, and may get its own back; chains of aliases are
// resolved and never close to a ring.
func pageRename(t *testing.T, b *Bench) {
	b.AddSite("news")
	c := b.Post("news", "a", comments.Approved)
	p, err := b.movePage("a", "b", false)
	b.Must(err)
	if p.Key != "b" || p.URL != "url of b" || p.Title != "Bài viết" || p.Counts.Approved != 1 {
		t.Fatalf("renamed: %+v", p)
	}
	_, err = b.movePage("b", "c", false)
	b.Must(err)
	b.aliases("a", "c", "b", "c")
	b.Equal("thread by the oldest key", b.ThreadIDs("news", "a", comments.Oldest, "", 5), []comments.ID{c.ID})
	_, err = b.movePage("c", "a", false) // back
	b.Must(err)
	b.aliases("b", "a", "c", "a")
	b.Equal("page", b.Page("news", "c").Key, "a")

	other := b.Post("news", "d", comments.Approved)
	p, err = b.movePage("d", "b", true) // into the page that an alias is of
	b.Must(err)
	b.Equal("merged by an alias", p.Key, "a")
	b.aliases("b", "a", "c", "a", "d", "a")
	b.Equal("thread", b.ThreadIDs("news", "d", comments.Oldest, "", 5), []comments.ID{c.ID, other.ID})
	b.Discussed("discussed", comments.DayOf(start), 9, "a", 2)
	b.Verify("news")
}

func pageMoveRefused(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.Post("news", "a", comments.Approved)
	b.Post("news", "b", comments.Pending)
	_, err := b.movePage("b", "c", false)
	b.Must(err)
	head := b.Head("news")
	for _, bad := range []struct {
		from, to string
		merge    bool
		want     error
	}{
		{"a", "a", true, comments.ErrConflict}, {"a", "a", false, comments.ErrConflict},
		{"none", "a", true, comments.ErrNotFound}, {"none", "x", false, comments.ErrNotFound},
		{"a", "none", true, comments.ErrNotFound}, {"a", "c", false, comments.ErrExists},
		{"a", "b", false, comments.ErrExists},  // another's former key
		{"b", "a", true, comments.ErrNotFound}, // it moved away
		{"c", "b", true, comments.ErrConflict}, // into itself, by an alias
	} {
		_, err := b.movePage(bad.from, bad.to, bad.merge)
		b.Is(err, bad.want)
	}
	_, err = b.Store.MovePage(b.Ctx, comments.PageMove{Site: "unknown", From: "a", To: "b", Merge: true})
	b.Is(err, comments.ErrUnknownSite)
	_, err = b.Store.TitlePage(b.Ctx, "news", "none", "x", "m-1")
	b.Is(err, comments.ErrNotFound)
	_, err = b.Store.Aliases(b.Ctx, "unknown")
	b.Is(err, comments.ErrUnknownSite)
	b.Unchanged("news", head)

	p, err := b.Store.TitlePage(b.Ctx, "news", "b", "Tên mới", "m-1") // by the former key
	b.Must(err)
	b.Equal("titled", p, b.Page("news", "c"))
	if p.Title != "Tên mới" || b.Head("news").Seq != head.Seq+1 {
		t.Fatalf("titled: %+v", p)
	}
	b.gates("news", "c")
	b.Must(b.Store.RemoveSite(b.Ctx, "news", "m-1"))
	b.AddSite("news")
	b.aliases()
}

// gates: a page stays as a moderator sets it, whatever comes after, and setting it so again
// is nothing.
func (b *Bench) gates(site, key string) {
	for _, gate := range []comments.Gate{comments.GateHeld, comments.GateClosed, comments.GateOpen, comments.GateHeld} {
		before := b.Head(site).Seq
		for range 2 {
			p, err := b.Store.GatePage(b.Ctx, site, key, gate, "m-1")
			b.Must(err)
			b.Equal("gate", p, b.Page(site, key))
			if p.Gate() != gate || b.Head(site).Seq != before+1 {
				b.T.Fatalf("set to %s: %+v, with %d events", gate, p, b.Head(site).Seq-before)
			}
		}
		events, err := b.Store.Events(b.Ctx, site, before, 2)
		b.Must(err)
		if len(events) != 1 || events[0].Kind != gate.Kind() || events[0].Subject != key || events[0].Actor != "m-1" {
			b.T.Fatalf("events of a page's gate: %+v", events)
		}
	}
	b.Post(site, key, comments.Pending)
	if p := b.Page(site, key); p.Gate() != comments.GateHeld {
		b.T.Fatalf("a comment has opened a page: %+v", p)
	}
	_, err := b.Store.GatePage(b.Ctx, site, "none", comments.GateOpen, "m-1")
	b.Is(err, comments.ErrNotFound)
}
