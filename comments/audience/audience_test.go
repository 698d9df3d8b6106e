package audience_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/audience/audiencetest"
)

const browser = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"

// clock is a clock that stands until it is moved.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func at(value string) *clock {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		panic(err)
	}
	return &clock{t}
}

func addr(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0a000000+n)))
}

func visit(page string, n uint32) audience.Visit {
	return audience.Visit{Page: page, Addr: addr(n), UserAgent: browser}
}

func newAudience(store audience.Store, c *clock, seed uint64) *audience.Audience {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	return audience.New(audience.Config{Store: store, Now: c.Now, Random: rand.NewChaCha8(key), Log: slog.New(slog.DiscardHandler)})
}

func counts(t *testing.T, a *audience.Audience, site comments.Site, page string) audience.Counts {
	t.Helper()
	c, err := a.Counts(t.Context(), site, page)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func want(t *testing.T, when string, got, want audience.Counts) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %+v, not %+v", when, got, want)
	}
}

func TestMemoryKeepsThePromises(t *testing.T) {
	audiencetest.Run(t, func(*testing.T) audiencetest.Store {
		return audiencetest.Store{Store: &audience.Memory{}}
	})
}

func TestCountsOverDaysAndWeeks(t *testing.T) {
	site := comments.Site{ID: "a", Settings: comments.DefaultSettings()} // Asia/Ho_Chi_Minh
	c := at("2026-11-22T16:50:00Z")                                      // Sunday, 23:50 there
	a := newAudience(&audience.Memory{}, c, 1)
	ctx := t.Context()
	for n := range uint32(3) {
		a.View(ctx, site, visit("x", n))
		a.View(ctx, site, visit("y", n))
	}
	want(t, "Sunday", counts(t, a, site, "x"), audience.Counts{PageViews: 3, Online: 3, Today: 3, Week: 3, Total: 3})
	want(t, "whole site", counts(t, a, site, ""), audience.Counts{PageViews: 6, Online: 3, Today: 3, Week: 3, Total: 3})

	c.now = c.now.Add(13 * time.Minute) // Monday, a new week
	a.View(ctx, site, visit("x", 0))
	a.View(ctx, site, visit("x", 9))
	want(t, "Monday", counts(t, a, site, "x"), audience.Counts{PageViews: 5, Online: 2, Today: 2, Week: 2, Total: 2})
	if err := a.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(24 * time.Hour)
	a.View(ctx, site, visit("x", 0))
	want(t, "Tuesday", counts(t, a, site, "x"), audience.Counts{PageViews: 6, Online: 1, Today: 1, Week: 3, Total: 6})
	c.now = c.now.Add(onlineFor)
	if got := counts(t, a, site, "x"); got.Online != 0 || got.Today != 1 {
		t.Errorf("after five minutes: %+v", got)
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(7 * 24 * time.Hour)
	want(t, "a week on", counts(t, a, site, "x"), audience.Counts{PageViews: 6, Total: 6})
}

const onlineFor = 5*time.Minute + 30*time.Second

func TestOnlineIsTheLastFiveMinutesAcrossMidnight(t *testing.T) {
	site := audiencetest.Site("a")
	c := at("2026-11-21T23:58:10Z")
	a := newAudience(&audience.Memory{}, c, 1)
	online := func() int64 { return counts(t, a, site, "").Online }
	for range 3 { // 23:58:10, 23:59:10, 00:00:10: one reader, though the day's salt changes
		a.View(t.Context(), site, visit("x", 1))
		if got := online(); got != 1 {
			t.Errorf("at %s: %d online", c.now, got)
		}
		c.now = c.now.Add(time.Minute)
	}
	c.now = c.now.Add(4*time.Minute - time.Second) // 4:59 after the last view
	if got := online(); got != 1 {
		t.Errorf("within five minutes: %d online", got)
	}
	c.now = c.now.Add(onlineFor)
	if got := counts(t, a, site, "").Online; got != 0 {
		t.Errorf("%d online long after", got)
	}
}

func TestARestartCountsNobodyTwice(t *testing.T) {
	site, c, store := audiencetest.Site("a"), at("2026-11-21T08:00:00Z"), &audience.Memory{}
	for run := range uint64(3) {
		a := newAudience(store, c, run) // other randomness, the store's salt
		for n := range uint32(50) {
			a.View(t.Context(), site, visit("x", n))
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a := newAudience(store, c, 9)
	want(t, "after three runs", counts(t, a, site, "x"), audience.Counts{PageViews: 150, Today: 50, Week: 50, Total: 50})
}

func TestNodesThatShareAStoreAgree(t *testing.T) {
	site, c, store := audiencetest.Site("a"), at("2026-11-21T08:00:00Z"), &audience.Memory{}
	nodes := make([]*audience.Audience, 3)
	for i := range nodes {
		nodes[i] = audience.New(audience.Config{Store: store, Now: c.Now, Shared: true})
		for n := range uint32(40) { // twenty of them came to the node before as well
			nodes[i].View(t.Context(), site, visit("x", uint32(i)*20+n))
		}
		if err := nodes[i].Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.now = c.now.Add(11 * time.Second)
	for i, a := range nodes {
		want(t, fmt.Sprint("node ", i), counts(t, a, site, ""), audience.Counts{PageViews: 120, Online: 80, Today: 80, Week: 80, Total: 80})
	}
}

func TestVisitorsWithinTwoPercent(t *testing.T) {
	const visitors = 100_000
	site, c, store := audiencetest.Site("a"), at("2026-11-21T08:00:00Z"), &audience.Memory{}
	for seed := range uint64(3) {
		site.ID = fmt.Sprint("s", seed)
		a := newAudience(store, c, seed)
		for n := range uint32(visitors) {
			a.View(t.Context(), site, visit("x", n))
			if n%3 == 0 {
				a.View(t.Context(), site, visit("y", n)) // comes twice, counts once
			}
			if n%10_000 == 0 {
				if err := a.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := counts(t, a, site, "")
		for name, n := range map[string]int64{"online": got.Online, "today": got.Today, "week": got.Week, "total": got.Total} {
			if off := math.Abs(float64(n)/visitors - 1); off > 0.02 {
				t.Errorf("salt %d, %s: %d is %.2f %% off", seed, name, n, off*100)
			}
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := counts(t, newAudience(store, c, 99), site, ""); again.Today != got.Today {
			t.Errorf("the store says %d, memory %d", again.Today, got.Today)
		}
	}
}

func TestWhatWaitsIsBoundedWhileTheStoreCantWrite(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	store := &discard{err: comments.ErrUnavailable}
	a := newAudience(store, c, 1)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	waiting := int64(0)
	long := strings.Repeat("k", 400)
	for i := range 100_000 {
		if a.View(t.Context(), site, visit(fmt.Sprint(long, i), 1)) {
			waiting++
		}
		if i%20_000 == 0 {
			if err := a.Flush(t.Context()); !errors.Is(err, comments.ErrUnavailable) {
				t.Fatal(err)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 48<<20 {
		t.Errorf("%d MiB wait", grown>>20)
	}
	if a.Dropped() != 100_000-waiting || waiting < 10_000 {
		t.Errorf("%d wait, %d dropped", waiting, a.Dropped())
	}
	store.err = nil
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.views != waiting || store.most > 8192 {
		t.Errorf("%d of %d views written, %d in one write", store.views, waiting, store.most)
	}
	if !a.View(t.Context(), site, visit(long, 1)) {
		t.Error("no room after everything was written")
	}
}

// discard is a store that only adds up what arrives.
type discard struct {
	audience.Memory
	err    error
	views  int64
	writes int
	most   int
}

func (d *discard) FlushAudience(_ context.Context, deltas []audience.Delta) error {
	if d.err != nil {
		return d.err
	}
	d.writes++
	pages := 0
	for _, one := range deltas {
		pages += len(one.Pages)
		for _, n := range one.Pages {
			d.views += n
		}
	}
	d.most = max(d.most, pages)
	return nil
}

func TestAWriteThatFailedIsMadeUpFor(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	store := &failing{}
	a := newAudience(store, c, 1)
	for n := range uint32(10) {
		a.View(t.Context(), site, visit("x", n))
	}
	store.err = comments.ErrUnavailable
	if err := a.Flush(t.Context()); !errors.Is(err, comments.ErrUnavailable) {
		t.Fatal(err)
	}
	for n := range uint32(20) {
		a.View(t.Context(), site, visit("x", n))
	}
	store.err = nil
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := newAudience(store, c, 2)
	want(t, "what was written", counts(t, again, site, "x"), audience.Counts{PageViews: 30, Today: 20, Week: 20, Total: 20})
}

type failing struct {
	audience.Memory
	err error
}

func (f *failing) LoadAudience(ctx context.Context, site string, day audience.Day, p audience.Salts) (audience.State, error) {
	if f.err != nil {
		return audience.State{}, f.err
	}
	return f.Memory.LoadAudience(ctx, site, day, p)
}

func (f *failing) FlushAudience(ctx context.Context, d []audience.Delta) error {
	if f.err != nil {
		return f.err
	}
	return f.Memory.FlushAudience(ctx, d)
}

func TestAStoreThatCantBeReadCostsVisitorsButNoViews(t *testing.T) {
	site, c := audiencetest.Site("a"), at("2026-11-21T08:00:00Z")
	store := &failing{err: comments.ErrUnavailable}
	a := newAudience(store, c, 1)
	a.View(t.Context(), site, visit("x", 1))
	if _, err := a.Counts(t.Context(), site, ""); !errors.Is(err, comments.ErrUnavailable) {
		t.Errorf("counts: %v", err)
	}
	store.err = nil
	c.now = c.now.Add(2 * time.Second)
	a.View(t.Context(), site, visit("x", 2))
	want(t, "after it came back", counts(t, a, site, "x"), audience.Counts{PageViews: 2, Online: 1, Today: 1, Week: 1, Total: 1})
}

func TestRunWritesEachSecondAndOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &discard{}
		a := audience.New(audience.Config{Store: store})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { a.Run(ctx); close(done) }()
		site := audiencetest.Site("a")
		a.View(ctx, site, visit("x", 1))
		time.Sleep(audience.FlushEvery + time.Millisecond)
		synctest.Wait()
		if store.views != 1 || store.writes != 1 {
			t.Errorf("after a second: %d views in %d writes", store.views, store.writes)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if store.writes != 1 {
			t.Errorf("%d writes while nothing happened", store.writes)
		}
		a.View(ctx, site, visit("x", 1))
		stop()
		<-done
		if store.views != 2 {
			t.Error("the last views were lost on the way out")
		}
	})
}

func TestConcurrentViewsAreAllCounted(t *testing.T) {
	site, store := audiencetest.Site("a"), &audience.Memory{}
	var ahead atomic.Int64
	a := audience.New(audience.Config{Store: store, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	ctx, stop := context.WithCancel(t.Context())
	var readers, writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			if err := a.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for g := range uint32(4) {
		readers.Go(func() {
			last := int64(0)
			for i := range uint32(2000) {
				a.View(context.Background(), site, visit("x", g*10_000+i))
				if i%50 == 0 {
					c, err := a.Counts(context.Background(), site, "x")
					if err != nil || c.PageViews <= last {
						t.Errorf("views went from %d to %d (%v)", last, c.PageViews, err)
					}
					last = c.PageViews
				}
			}
		})
	}
	readers.Wait()
	stop()
	writer.Wait()
	ahead.Store(int64(time.Second)) // large numbers are worked out once a second
	if got := counts(t, a, site, "x"); got.PageViews != 8000 || got.Today < 7900 || got.Today > 8100 {
		t.Errorf("%+v", got)
	}
}

func TestAutomataAreLeftOut(t *testing.T) {
	a := newAudience(&audience.Memory{}, at("2026-11-21T08:00:00Z"), 1)
	for ua, person := range map[string]bool{
		browser: true,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/118.0 Chrome/112.0 Safari/537.36": true,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Zalo iOS/24.10 [FBAN/FBIOS;FBAV/450.0]":  true,
		"Mozilla/5.0 (Linux; Android 11; CUBOT X50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36":                                   true,
		"Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; vi) Presto/2.5.25 Version/10.54":                                                        true,
		"": false,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                               false,
		"Mozilla/5.0 (compatible; coccocbot-web/1.0; +http://help.coccoc.com/searchengine)":                      false,
		"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)":                                false,
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)":                              false,
		"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)":                    false,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)": false,
		"curl/8.5.0":                    false,
		"Go-http-client/1.1":            false,
		"python-requests/2.32.0":        false,
		"TelegramBot (like TwitterBot)": false,
	} {
		if got := a.View(t.Context(), audiencetest.Site("a"), audience.Visit{Page: "x", Addr: addr(1), UserAgent: ua}); got != person {
			t.Errorf("%q counted: %v", ua, got)
		}
	}
	for _, v := range []audience.Visit{
		{UserAgent: browser, Purpose: "prefetch;prerender"}, {UserAgent: browser, From: "bot@example.org"},
	} {
		if a.View(t.Context(), audiencetest.Site("a"), v) {
			t.Errorf("%+v counted", v)
		}
	}
}

func TestNetworksAreOneVisitor(t *testing.T) {
	site := audiencetest.Site("a")
	a := newAudience(&audience.Memory{}, at("2026-11-21T08:00:00Z"), 1)
	for _, ip := range []string{"2001:db8::1", "2001:db8::2", "192.0.2.1", "::ffff:192.0.2.1"} {
		a.View(t.Context(), site, audience.Visit{Page: "x", Addr: netip.MustParseAddr(ip), UserAgent: browser})
	}
	if got := counts(t, a, site, "").Today; got != 2 {
		t.Errorf("%d visitors, not 2", got)
	}
}

func TestQuietSitesAreForgottenAndComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &audience.Memory{}
		a := audience.New(audience.Config{Store: store})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { a.Run(ctx); close(done) }()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range 2000 {
			site := audiencetest.Site(fmt.Sprint("s", i))
			for n := range uint32(5) {
				a.View(ctx, site, visit("x", n))
			}
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("%d KiB for 2,000 quiet sites", grown>>10)
		}
		want(t, "come back", counts(t, a, audiencetest.Site("s7"), "x"), audience.Counts{PageViews: 5, Today: 5, Week: 5, Total: 5})
		stop()
		<-done
	})
}

func TestKeptRefusesWhatIsDamaged(t *testing.T) {
	for _, k := range []audience.Kept{{Summary: []byte("{")}, {Sketch: []byte("?")}, {Slots: []byte("[{}]")}} {
		before := k
		err := k.Merge(audience.Delta{Site: "a", Day: 1, Sketch: sketchOf(t), Slots: []byte("[]"), Pages: map[string]int64{"x": 1}})
		if !errors.Is(err, comments.ErrDamaged) || !bytes.Equal(k.Summary, before.Summary) {
			t.Errorf("%+v: %v", before, err)
		}
	}
}

func sketchOf(t *testing.T) []byte {
	t.Helper()
	store := &capture{}
	a := newAudience(store, at("2026-11-21T08:00:00Z"), 1)
	a.View(t.Context(), audiencetest.Site("a"), visit("x", 1))
	if err := a.Flush(t.Context()); err != nil || store.sketch == nil {
		t.Fatal("no sketch", err)
	}
	return store.sketch
}

type capture struct {
	audience.Memory
	sketch []byte
}

func (c *capture) FlushAudience(_ context.Context, d []audience.Delta) error {
	c.sketch = d[0].Sketch
	return nil
}

func TestRandomnessThatFailsIsAnError(t *testing.T) {
	a := audience.New(audience.Config{Store: &audience.Memory{}, Random: strings.NewReader("short")})
	if _, err := a.Counts(t.Context(), audiencetest.Site("a"), ""); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}

func BenchmarkView(b *testing.B) {
	site := audiencetest.Site("a")
	a := audience.New(audience.Config{Store: &discard{}})
	pages := make([]string, 1000)
	for i := range pages {
		pages[i] = fmt.Sprint("https://news.example/", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		a.View(context.Background(), site, visit(pages[i%1000], uint32(i)))
	}
}

// BenchmarkCounts asks for counts while a thousand are online: every reader does.
func BenchmarkCounts(b *testing.B) {
	site := audiencetest.Site("a")
	a := audience.New(audience.Config{Store: &audience.Memory{}})
	for i := range uint32(1000) {
		a.View(context.Background(), site, visit("x", i))
	}
	b.ReportAllocs()
	for i := range b.N {
		a.View(context.Background(), site, visit("x", uint32(i%1000)))
		if _, err := a.Counts(context.Background(), site, "x"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAMillionViews says what a million views of ten thousand pages by a hundred
// thousand visitors cost in memory, flushed to nowhere.
func BenchmarkAMillionViews(b *testing.B) {
	site := audiencetest.Site("a")
	pages := make([]string, 10_000)
	for i := range pages {
		pages[i] = fmt.Sprint("https://news.example/2026/11/bai-viet-so-", i, ".html")
	}
	for range b.N {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := audience.New(audience.Config{Store: &discard{}})
		for i := range uint32(1_000_000) {
			a.View(context.Background(), site, visit(pages[i%10_000], i%100_000))
		}
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-most")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-held")
		runtime.KeepAlive(a)
	}
}
