package storetest

import (
	"testing"
	"time"

	"duyet/comments"
)

func sites(t *testing.T, b *Bench) {
	list, err := b.Store.Sites(b.Ctx)
	b.Must(err)
	if len(list) != 0 {
		t.Fatalf("sites of an empty store: %v", list)
	}
	_, err = b.Store.Site(b.Ctx, "news")
	b.Is(err, comments.ErrUnknownSite)
	b.Is(err, comments.ErrNotFound)

	want := comments.Site{
		ID: "news", Name: "Báo Mới", Origins: []string{"https://news.example", "https://xn--bo-jia.example"},
		CreatedAt: start, Version: 1,
		Settings: comments.Settings{
			Lang: "auto", Timezone: "Asia/Tokyo", Title: comments.Optional, Mode: comments.PostModerated,
			NameMax: 1, TitleMax: 2, ContentMax: 3, TicketTTL: 4 * time.Second, EditWindow: 5 * time.Minute,
			CloseAfter: 6 * time.Hour, ReplyDepth: 7, RulesURL: "https://a.example", PrivacyURL: "https://b.example",
			RateLimit: true, AttackMode: "on", Proof: "work", OnSpam: "spam", DropParams: []string{"p"}, Reasons: []string{"r", "s"},
			AddressesFor: 8 * time.Hour, Newsroom: "Tòa soạn", StaffNames: []string{"Ban biên tập"}, TrustAfter: 9, WarnAfter: 10 * time.Minute,
		},
	}
	added := want
	added.Version = 0
	got, err := b.Store.AddSite(b.Ctx, added, "operator")
	b.Must(err)
	b.Equal("added site", got, want)
	got, err = b.Store.Site(b.Ctx, "news")
	b.Must(err)
	b.Equal("stored site", got, want)

	events, err := b.Store.Events(b.Ctx, "news", 0, 10)
	b.Must(err)
	if len(events) != 1 || events[0].Seq != 1 || events[0].Kind != comments.KindSiteAdded ||
		events[0].Actor != "operator" || events[0].Site != "news" {
		t.Fatalf("events of a new site: %+v", events)
	}
	before := b.Head("news")
	_, err = b.Store.AddSite(b.Ctx, want, "operator")
	b.Is(err, comments.ErrExists)
	b.Unchanged("news", before)

	b.AddSite("b")
	b.AddSite("a")
	list, err = b.Store.Sites(b.Ctx)
	b.Must(err)
	var ids []string
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	b.Equal("sites by id", ids, []string{"a", "b", "news"})
}

func siteVersions(t *testing.T, b *Bench) {
	s := b.AddSite("news")
	s.Settings.NameMax = 33
	changed, err := b.Store.ChangeSite(b.Ctx, s, "m-1", "name_max")
	b.Must(err)
	if changed.Version != 2 || changed.Settings.NameMax != 33 {
		t.Fatalf("changed site: %+v", changed)
	}
	events, err := b.Store.Events(b.Ctx, "news", 1, 10)
	b.Must(err)
	if len(events) != 1 || events[0].Kind != comments.KindSiteChanged || events[0].Subject != "name_max" || events[0].Actor != "m-1" {
		t.Fatalf("events: %+v", events)
	}
	before := b.Head("news")
	s.Settings.NameMax = 44
	_, err = b.Store.ChangeSite(b.Ctx, s, "m-2", "name_max") // still at version 1
	b.Is(err, comments.ErrVersion)
	b.Is(err, comments.ErrConflict)
	b.Unchanged("news", before)
	stored, err := b.Store.Site(b.Ctx, "news")
	b.Must(err)
	b.Equal("site", stored, changed)
	s.ID = "other"
	_, err = b.Store.ChangeSite(b.Ctx, s, "m-2", "name_max")
	b.Is(err, comments.ErrUnknownSite)
}

func siteRemoval(t *testing.T, b *Bench) {
	b.AddSite("keep")
	b.AddSite("gone")
	kept := b.Post("keep", "https://keep.example/1", comments.Approved)
	c := b.Creation("gone", "https://gone.example/1", comments.Approved)
	created := b.Create(c)
	b.Post("gone", "https://gone.example/2", comments.Pending)
	before := b.Head("keep")

	b.Is(b.Store.RemoveSite(b.Ctx, "unknown", "operator"), comments.ErrUnknownSite)
	b.Must(b.Store.RemoveSite(b.Ctx, "gone", "operator"))
	b.Is(b.Store.RemoveSite(b.Ctx, "gone", "operator"), comments.ErrUnknownSite)

	events, err := b.Store.Events(b.Ctx, comments.Installation, 0, 10)
	b.Must(err)
	last := events[len(events)-1]
	if last.Kind != comments.KindSiteRemoved || last.Subject != "gone" || last.Actor != "operator" {
		t.Fatalf("last event of the installation: %+v", last)
	}
	for name, read := range map[string]func() error{
		"Site":    func() error { _, err := b.Store.Site(b.Ctx, "gone"); return err },
		"Head":    func() error { _, err := b.Store.Head(b.Ctx, "gone"); return err },
		"Events":  func() error { _, err := b.Store.Events(b.Ctx, "gone", 0, 1); return err },
		"Comment": func() error { _, err := b.Store.Comment(b.Ctx, created.ID); return err },
		"History": func() error { _, err := b.Store.History(b.Ctx, created.ID); return err },
		"Page":    func() error { _, err := b.Store.Page(b.Ctx, "gone", created.Page); return err },
		"Latest":  func() error { _, err := b.Store.Latest(b.Ctx, "gone", 1); return err },
		"Spent":   func() error { _, err := b.Store.Spent(b.Ctx, c.Ticket.ID, c.Ticket.Expires); return err },
		"Create":  func() error { _, _, err := b.Store.Create(b.Ctx, c); return err },
	} {
		if err := read(); err == nil {
			t.Errorf("%s of a removed site: no error", name)
		} else {
			b.Is(err, comments.ErrNotFound)
		}
	}
	b.Unchanged("keep", before)
	stands, err := b.Store.Comment(b.Ctx, kept.ID)
	b.Must(err)
	b.Equal("the other site's comment", stands, kept)

	// A new site of that name begins with nothing.
	b.AddSite("gone")
	if h := b.Head("gone"); h.Seq != 1 || h.Counts.Total() != 0 {
		t.Fatalf("head of the new site: %+v", h)
	}
	_, err = b.Store.Comment(b.Ctx, created.ID)
	b.Is(err, comments.ErrNotFound)
	b.Equal("its thread", b.ThreadIDs("gone", created.Page, comments.Oldest, "", 10), []comments.ID{})
	b.Create(c)
	b.Verify("keep", "gone")
}

// sitesApart: names that begin alike share nothing.
func sitesApart(t *testing.T, b *Bench) {
	names := []string{"a", "a-", "a-b", "aa", "b"}
	want := map[string][]comments.ID{}
	for _, name := range names {
		b.AddSite(name)
	}
	for range 3 {
		for _, name := range names {
			want[name] = append(want[name], b.Post(name, "k", comments.Approved).ID)
		}
	}
	for _, name := range names {
		b.Equal("thread of "+name, b.ThreadIDs(name, "k", comments.Oldest, "", 10), want[name])
		if h := b.Head(name); h.Counts != (comments.Counts{Approved: 3}) || h.Seq != 4 {
			t.Fatalf("head of %s: %+v", name, h)
		}
	}
	b.Must(b.Store.RemoveSite(b.Ctx, "a", "operator"))
	b.Must(b.Store.RemoveSite(b.Ctx, "aa", "operator"))
	for _, name := range []string{"a-", "a-b", "b"} {
		b.Equal("thread of "+name, b.ThreadIDs(name, "k", comments.Oldest, "", 10), want[name])
	}
	b.Verify("a-", "a-b", "b")
}
