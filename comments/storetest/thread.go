package storetest

import (
	"slices"
	"testing"

	"duyet/comments"
)

func thread(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.Equal("thread of an unknown page", b.ThreadIDs("news", "p", comments.Oldest, "", 5), []comments.ID{})
	var all []comments.ID
	for i := range 25 {
		status := comments.Approved
		if i%5 == 4 {
			status = comments.Statuses[(i/5)%5]
		}
		c := b.Post("news", "p", status)
		if status == comments.Approved {
			all = append(all, c.ID)
		}
		b.Post("news", "q", comments.Approved)
	}
	newest := slices.Clone(all)
	slices.Reverse(newest)
	for sort, want := range map[comments.Sort][]comments.ID{comments.Oldest: all, comments.Newest: newest} {
		b.Equal("whole thread", b.ThreadIDs("news", "p", sort, "", 100), want)
		b.Equal("limited", b.ThreadIDs("news", "p", sort, "", 3), want[:3])
		var paged []comments.ID
		after := comments.ID("")
		for {
			list := b.ThreadIDs("news", "p", sort, after, 4)
			if len(list) == 0 {
				break
			}
			paged = append(paged, list...)
			after = list[len(list)-1]
		}
		b.Equal("page by page", paged, want)
	}
	b.Equal("nothing asked for", b.ThreadIDs("news", "p", comments.Oldest, "", 0), []comments.ID{})
	list, err := b.Store.Thread(b.Ctx, "news", "p", comments.Oldest, "", 1)
	b.Must(err)
	one, err := b.Store.Comment(b.Ctx, all[0])
	b.Must(err)
	b.Equal("a thread's comment", list[0], one)
	_, err = b.Store.Thread(b.Ctx, "unknown", "p", comments.Oldest, "", 5)
	b.Is(err, comments.ErrUnknownSite)
}

// threadCursorGone: a cursor names a place, whether or not its comment is there.
func threadCursorGone(t *testing.T, b *Bench) {
	b.AddSite("news")
	first := b.Post("news", "p", comments.Approved)
	gone, err := comments.NewID("news") // never stored
	b.Must(err)
	hidden := b.Post("news", "p", comments.Pending)
	last := b.Post("news", "p", comments.Approved)
	for _, cursor := range []comments.ID{gone, hidden.ID} {
		b.Equal("oldest first", b.ThreadIDs("news", "p", comments.Oldest, cursor, 5), []comments.ID{last.ID})
		b.Equal("newest first", b.ThreadIDs("news", "p", comments.Newest, cursor, 5), []comments.ID{first.ID})
	}
	b.Equal("after the last", b.ThreadIDs("news", "p", comments.Oldest, last.ID, 5), []comments.ID{})
	b.Equal("before the first", b.ThreadIDs("news", "p", comments.Newest, first.ID, 5), []comments.ID{})
}

// threadPagesApart: keys that begin alike share nothing.
func threadPagesApart(t *testing.T, b *Bench) {
	b.AddSite("news")
	keys := []string{"a", "a/", "a/b", "aa", "https://news.example/", "https://news.example/a", "á", "\U0010ffff\U0010ffff"}
	want := map[string][]comments.ID{}
	for range 2 {
		for _, k := range keys {
			want[k] = append(want[k], b.Post("news", k, comments.Approved).ID)
		}
	}
	for _, k := range keys {
		b.Equal("thread of "+k, b.ThreadIDs("news", k, comments.Oldest, "", 10), want[k])
		if p := b.Page("news", k); p.Key != k || p.Counts != (comments.Counts{Approved: 2}) {
			t.Fatalf("page %q: %+v", k, p)
		}
	}
	_, err := b.Store.Page(b.Ctx, "news", "a/b/c")
	b.Is(err, comments.ErrNotFound)
}

func latest(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("other")
	var want []comments.ID
	for i := range 6 {
		c := b.Post("news", []string{"p", "q"}[i%2], comments.Approved)
		want = append([]comments.ID{c.ID}, want...)
		b.Post("news", "p", comments.Pending)
		b.Post("other", "p", comments.Approved)
	}
	list, err := b.Store.Latest(b.Ctx, "news", 4)
	b.Must(err)
	b.Equal("latest", IDs(list), want[:4])
	list, err = b.Store.Latest(b.Ctx, "news", 100)
	b.Must(err)
	b.Equal("all", IDs(list), want)
	_, err = b.Store.Latest(b.Ctx, "unknown", 4)
	b.Is(err, comments.ErrUnknownSite)
}

func absence(t *testing.T, b *Bench) {
	b.AddSite("news")
	unknown, err := comments.NewID("news")
	b.Must(err)
	elsewhere, err := comments.NewID("elsewhere")
	b.Must(err)
	for _, id := range []comments.ID{unknown, elsewhere, "news~x", "", "x"} {
		_, err := b.Store.Comment(b.Ctx, id)
		b.Is(err, comments.ErrNotFound)
		_, err = b.Store.History(b.Ctx, id)
		b.Is(err, comments.ErrNotFound)
	}
	_, err = b.Store.Page(b.Ctx, "news", "p")
	b.Is(err, comments.ErrNotFound)
	for _, site := range []string{"elsewhere", ""} {
		_, err = b.Store.Page(b.Ctx, site, "p")
		b.Is(err, comments.ErrUnknownSite)
		_, err = b.Store.Head(b.Ctx, site)
		b.Is(err, comments.ErrUnknownSite)
		_, err = b.Store.Events(b.Ctx, site, 0, 1)
		b.Is(err, comments.ErrUnknownSite)
		_, err = b.Store.VerifyChain(b.Ctx, site)
		b.Is(err, comments.ErrUnknownSite)
		_, err = b.Store.Site(b.Ctx, site)
		b.Is(err, comments.ErrUnknownSite)
	}
}
