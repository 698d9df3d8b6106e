package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/search"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Bến Đò": "ben do", "ĐƯỜNG": "duong", "nguyễn": "nguyen", "e\u0302\u0301": "e", "Ｚalo": "zalo", "straße": "straße", "東京": "東京",
	} {
		if got := search.Fold(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestFits(t *testing.T) {
	c := comments.Comment{
		ID: "bao~1", Site: "bao", Page: "https://bao.example/vi/pho-di-bo", Name: "Lê Hạnh", Title: "Chuyện bến đò",
		Content: "Xe xuống lòng đường. Gọi ZALO hoặc xem guixe.example nhé, hoà bình!", Lang: "vi", Status: comments.Rejected,
		CreatedAt: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Parent: "bao~0",
		Signals: []comments.Signal{{Check: "links", Level: comments.LevelHold}},
	}
	for q, want := range map[string]bool{
		"": true, "ben do": true, "bến đò": true, "bền do": false, "BEN": false, "do ben": true, `"do ben"`: false, `"ben do"`: true,
		`"xuống lòng đường"`: true, `"xuong duong"`: false, "zalo": true, "ZALO": true, "Zalo": false, "đo": false,
		"guixe.example": true, "hòa": true, "hoa binh": true, "author:hanh": true, "author:hạnh": true, "author:hành": false, "author:zalo": false,
		"page:pho-di-bo": true, "page:di-bo": true, "page:cho": false, "site:bao": true, "site:khac": false,
		"status:rejected": true, "status:pending": false, "before:2026-11-20": false, "before:2026-11-21": true, "after:2026-11-20": true, "after:2026-11-21": false,
		"has:link": true, "has:signal": true, "has:parent": true, "lang:vi": true, "lang:en": false, "be": false, "example": true, "bến “lòng đường”": true,
		"ben has:link status:rejected author:\"lê hạnh\"": true,
	} {
		query, err := search.Parse(q, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		if got := search.NewMatcher(query).Fits(&c); got != want {
			t.Errorf("%s: %t", q, got)
		}
	}
	for _, q := range []string{"status:odd", "before:soon", "has:cake", "ip:x", "author:", "site:Bao!", "lang:fr", "author:…"} {
		var unread *search.UnreadError
		if _, err := search.Parse(q, time.UTC); !errors.As(err, &unread) || !errors.Is(err, comments.ErrMalformed) {
			t.Errorf("%s: %v", q, err)
		}
	}
	q, _ := search.Parse("ben do", time.UTC)
	if got := search.NewMatcher(q).Marks("title", c.Title); len(got) != 2 || c.Title[got[0].Start:got[0].End] != "bến" || c.Title[got[1].Start:got[1].End] != "đò" {
		t.Errorf("marks: %v", got)
	}
}

func TestLinks(t *testing.T) {
	for text, want := range map[string]bool{
		"xem https://a.b/c": true, "vào shop.vn nhé": true, "Hay.Tôi thích": false, "1.000 đồng": false, "ok.": false, "a.company": false, "Nhà.đất": false,
	} {
		if got := search.HasLink(&comments.Comment{Content: text}); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestMerge(t *testing.T) {
	got := search.Merge([][]byte{search.Encode([]int64{9, 5, 1}), search.Encode([]int64{8, 5}), search.Encode(nil)})
	if want := search.Encode([]int64{9, 8, 5, 1}); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

// archive is a store with comments of few words, for questions about them.
type archive struct {
	*testing.T
	db  *boltstore.DB
	now time.Time
	rnd *rand.Rand
	n   int
}

func newArchive(t *testing.T) *archive {
	a := &archive{T: t, now: time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC), rnd: rand.New(rand.NewPCG(1, 2))}
	var err error
	a.db, err = boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test", Now: func() time.Time { return a.now },
	})
	a.must(err)
	t.Cleanup(func() { a.must(a.db.Close()) })
	for _, id := range []string{"bao", "khac"} {
		_, err := a.db.AddSite(t.Context(), comments.Site{ID: id, Name: id, Settings: comments.DefaultSettings()}, comments.ActorOperator)
		a.must(err)
	}
	return a
}

func (a *archive) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

var someWords = []string{"bến", "ben", "đò", "do", "Phố", "phở", "xe", "đường", "sông", "shop.vn", "hay", "chợ"}

func (a *archive) words() (text string) {
	for range 2 + a.rnd.IntN(4) {
		text += someWords[a.rnd.IntN(len(someWords))] + " "
	}
	return text + "."
}

func (a *archive) post(site string) comments.ID {
	a.n++
	id, err := comments.NewID(site)
	a.must(err)
	c := comments.Comment{
		ID: id, Site: site, Page: fmt.Sprintf("bai-%d", a.n%3), Name: someWords[a.n%len(someWords)], Content: a.words(), Lang: "vi",
		Status: comments.Statuses[a.n%2], CreatedAt: a.now,
	}
	if a.n%5 == 0 {
		c.Signals = []comments.Signal{{Check: "links", Level: comments.LevelHold}}
	}
	addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(a.n % 4)})
	_, _, err = a.db.Create(a.Context(), comments.Creation{Comment: c, Author: comments.Author{Addr: addr, Expires: a.now.Add(time.Hour)}})
	a.must(err)
	return id
}

// pages reads all that a search finds, page by page.
func (a *archive) pages(e *search.Engine, ask search.Ask) (ids []comments.ID, found int) {
	a.Helper()
	ask.Filter.Limit, ask.Count = 7, true
	for {
		got, err := e.Search(a.Context(), ask)
		a.must(err)
		if got.Partial || got.AtLeast {
			a.Fatalf("partial: %+v", got)
		}
		found = got.Found
		for _, c := range got.Comments {
			ids = append(ids, c.ID)
		}
		if !got.More {
			return ids, found
		}
		ask.Filter.After, ask.Filter.AfterRisk = got.Last.ID, got.Last.Risk
	}
}

// TestIndexAgainstScan: whatever the index holds by then, a search finds what going through
// everything finds, in order, each once, and counts it.
func TestIndexAgainstScan(t *testing.T) {
	a := newArchive(t)
	ctx := t.Context()
	clock := func() time.Time { return a.now }
	indexed, plain := search.NewSmall(a.db, clock), search.New(a.db, clock)
	var ids []comments.ID
	for round := range 16 {
		for range 4 + a.rnd.IntN(8) {
			ids = append(ids, a.post("bao"))
			a.post("khac")
		}
		if round%3 == 0 {
			a.reword(ids[a.rnd.IntN(len(ids))])
		}
		if round == 11 {
			_, err := a.db.MovePage(ctx, comments.PageMove{Site: "bao", From: "bai-1", To: "ten-moi", Actor: comments.ActorOperator})
			a.must(err)
		}
		if round%2 == 0 {
			a.must(indexed.KeepAll(ctx, a.db.Sites))
		}
		for _, q := range []string{"ben", "bến", "do ben", `"ben do"`, "Phố", "shop.vn", "author:xe", "page:bai-1", "page:ten-moi", "has:link xe", "has:signal", "lang:vi hay", "status:approved cho", "ip:192.0.2.1 xe", "moi"} {
			query, err := search.Parse(q, time.UTC)
			a.must(err)
			for _, order := range []comments.Sort{comments.Oldest, comments.Newest} {
				f := comments.QueueFilter{Site: "bao", All: true, Order: order}
				if round%2 == 1 {
					f.All, f.Status = false, comments.Pending
				}
				got, n := a.pages(indexed, search.Ask{Filter: f, Query: query})
				want, _ := a.pages(plain, search.Ask{Filter: f, Query: query})
				if !slices.Equal(got, want) || n != len(want) {
					t.Fatalf("round %d, %s, %s: %d of %d, counted %d", round, q, order, len(got), len(want), n)
				}
			}
		}
	}
}

func (a *archive) reword(id comments.ID) {
	done, err := a.db.Amend(a.Context(), []comments.Amendment{{ID: id, Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		c.Content = a.words() + " mới"
		return &comments.Step{Comment: c, Kind: "comment.edited"}, nil
	}}})
	a.must(err)
	a.must(done[0].Err)
}

// TestPartial: a search that takes too long ends with what it has, and can be gone on with.
func TestPartial(t *testing.T) {
	a := newArchive(t)
	for range 300 {
		a.post("bao")
	}
	ticks := 0
	slow := search.New(a.db, func() time.Time { ticks++; return a.now.Add(time.Duration(ticks) * 400 * time.Millisecond) })
	query, err := search.Parse("khongco", time.UTC)
	a.must(err)
	ask := search.Ask{Filter: comments.QueueFilter{Site: "bao", All: true, Order: comments.Newest, Limit: 5}, Query: query, Count: true}
	rounds := 0
	for {
		got, err := slow.Search(t.Context(), ask)
		a.must(err)
		if len(got.Comments) > 0 {
			t.Fatal("found what is not there")
		}
		if !got.More {
			break
		}
		if !got.Partial || !got.AtLeast {
			t.Fatalf("ended without saying so: %+v", got)
		}
		if rounds++; rounds > 20 {
			t.Fatal("no end")
		}
		ask.Filter.After = got.Last.ID
	}
	if rounds == 0 {
		t.Error("it was whole at once")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := slow.Search(ctx, ask); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`ben "do`, "author:x page:y", "ip:1.2.3.4/8", "“a” b", "before:2026-01-01", "site:"} {
		f.Add(s, "Bến đò, Lê Hạnh: shop.vn\u0301")
	}
	f.Fuzz(func(t *testing.T, typed, text string) {
		search.Parts(typed)
		q, err := search.Parse(typed, time.UTC)
		if err != nil {
			return
		}
		m := search.NewMatcher(q)
		m.Fits(&comments.Comment{Name: text, Content: text, Page: text})
		last := 0
		for _, p := range m.Marks("content", text) {
			if p.Start < last || p.End <= p.Start || p.End > len(text) {
				t.Errorf("%q in %q: %+v", typed, text, p)
			}
			last = p.End
		}
	})
}

// TestDays: days are looked for where they are, and nothing at their edges is missed.
func TestDays(t *testing.T) {
	a := newArchive(t)
	var ids []comments.ID
	a.now = time.Now().UTC().Truncate(24 * time.Hour) // as ids tell it
	for range 9 {
		ids = append(ids, a.post("bao"))
	}
	e := search.New(a.db, func() time.Time { return a.now })
	for q, want := range map[string]int{"before:%s": 0, "after:%s": 9, "after:%s lang:vi": 9, "before:%s lang:vi": 0} {
		query, err := search.Parse(fmt.Sprintf(q, a.now.Format("2006-01-02")), time.UTC)
		a.must(err)
		for _, order := range []comments.Sort{comments.Oldest, comments.Newest} {
			got, n := a.pages(e, search.Ask{Filter: comments.QueueFilter{Site: "bao", All: true, Order: order}, Query: query})
			if len(got) != want || n != want {
				t.Errorf("%s, %s: %d of %d", q, order, len(got), len(ids))
			}
		}
	}
}
