package alarm

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/moderation"
	moderationstore "duyet/moderation/boltstore"
)

var _ comments.Alarm = (*Alarm)(nil)

// town is alarms on one store, by a clock that a test moves.
type town struct {
	t         *testing.T
	db        *boltstore.DB
	documents *moderationstore.Store
	now       time.Time
	alarms    []*Alarm
	site      comments.Site
}

// sums is a Counter for alarms of one process.
type sums struct {
	mu sync.Mutex
	of map[comments.Arrival]comments.Arrival
}

func (s *sums) Add(_ context.Context, news []comments.Arrival) (all []comments.Arrival, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range news {
		key := comments.Arrival{Site: n.Site, Page: n.Page, Minute: n.Minute}
		sum := key
		sum.Came, sum.Wrong = s.of[key].Came+n.Came, s.of[key].Wrong+n.Wrong
		s.of[key] = sum
		all = append(all, sum)
	}
	return all, nil
}

func newTown(t *testing.T, nodes int) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	var err error
	w.db, err = boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "test",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test", Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.db.CheckTree(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.documents, err = moderationstore.New(t.Context(), w.db); err != nil {
		t.Fatal(err)
	}
	var counter Counter
	if nodes > 1 {
		counter = &sums{of: map[comments.Arrival]comments.Arrival{}}
	}
	for range nodes {
		a := New(Config{Documents: w.documents, Sites: w.db, Counter: counter, Now: clock})
		w.db.Observe(a.Observe)
		w.alarms = append(w.alarms, a)
	}
	site := comments.Site{ID: "news", Name: "News", Origins: []string{"https://news.example"}, Settings: comments.DefaultSettings()}
	if w.site, err = w.db.AddSite(t.Context(), site, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	for _, a := range w.alarms {
		a.Load(t.Context())
	}
	return w
}

const key = "https://news.example/a"

func at(page string) comments.Page { return comments.Page{Site: "news", Key: page} }

// come has n comments come to a page, shared out among the nodes.
func (w *town) come(n int, page string) {
	for i := range n {
		w.alarms[i%len(w.alarms)].Arrived(w.site, at(page))
	}
}

func (w *town) tick() {
	for range 2 { // each hears of the last one's sums
		for _, a := range w.alarms {
			a.Tick(w.t.Context())
		}
	}
}

// minutes lets time pass, with n comments a minute.
func (w *town) minutes(minutes, n int, page string) {
	for range minutes {
		w.now = w.now.Add(time.Minute)
		w.come(n, page)
		w.tick()
	}
}

// raised holds every node to what it says of a page.
func (w *town) raised(when, page string, want bool) {
	w.t.Helper()
	for i, a := range w.alarms {
		if got := a.Raised(w.site, comments.PageHash("news", page)); got != want {
			w.t.Errorf("%s node %d says %v of %s", when, i, got, page)
		}
	}
}

func (w *town) events() (kinds []string) {
	w.t.Helper()
	events, err := w.db.Events(w.t.Context(), "news", 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind != comments.KindSiteAdded {
			kinds = append(kinds, string(e.Kind)+" "+e.Actor)
		}
	}
	return kinds
}

func TestFlood(t *testing.T) {
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			w := newTown(t, nodes)
			other := key + "/other"
			w.minutes(1, PageLeast, key)
			w.raised("with as much as is usual,", key, false)
			w.minutes(1, PageLeast+1, key)
			w.raised("with one more,", key, true)
			w.raised("for one page's flood,", other, false)
			w.minutes(1, SiteLeast+1, other)
			w.raised("for a flood of the site,", key+"/third", true)
			if n := w.alarms[0].Raisings()["news"]; n != 3 {
				t.Errorf("%d are in attack mode", n)
			}
			// It is told of in its document, so that it outlives the process.
			w.now = w.now.Add(2 * time.Minute)
			again := New(Config{Documents: w.documents, Sites: w.db, Now: func() time.Time { return w.now }})
			again.Load(t.Context())
			if !again.Raised(w.site, comments.PageHash("news", key)) {
				t.Error("after a start it is forgotten")
			}
			w.minutes(26, 1, key)
			w.raised("after less than thirty quiet minutes,", key+"/third", true)
			w.come(SiteLeast+1, other)
			w.tick()
			w.minutes(29, 1, key)
			w.raised("after it was loud again,", other, true)
			w.minutes(2, 1, key)
			for _, page := range []string{key, other} {
				w.raised("after thirty quiet minutes,", page, false)
			}
			began, ended := 0, 0
			for _, e := range w.events() {
				switch e {
				case "attack.began system":
					began++
				case "attack.ended system":
					ended++
				default:
					t.Error(e)
				}
			}
			if began != 4 && began != 3 || ended != began {
				t.Errorf("the journal tells of %d beginnings and %d ends", began, ended)
			}
		})
	}
}

// TestMedian: what is much for one paper is little for another; and what an attack brings
// is not what comes usually.
func TestMedian(t *testing.T) {
	w := newTown(t, 1)
	var pages []string
	for i := range 10 {
		pages = append(pages, fmt.Sprint(key, i))
	}
	usual := func(minutes, n int) {
		for range minutes {
			w.now = w.now.Add(time.Minute)
			for _, p := range pages {
				w.come(n, p)
			}
			w.tick()
		}
	}
	// The morning grows slowly, to 300 comments a minute for the site.
	for n := 1; n <= 12; n++ {
		usual(10, n)
	}
	usual(60, 30)
	w.raised("with what is usual,", key, false)
	w.minutes(1, 1400, "")
	w.raised("with less than five times as much,", key, false)
	w.minutes(1, 1600, "")
	w.raised("with more than five times as much,", key, true)
	w.minutes(45, 1600, "")
	w.raised("as long as the attack lasts,", key, true)
	w.minutes(31, 200, "")
	w.raised("when it is over,", key, false)
	w.minutes(1, 1600, "")
	w.raised("when it comes again,", key, true)
}

func TestWrongCodes(t *testing.T) {
	w := newTown(t, 2)
	for i := range WrongMost {
		w.alarms[i%2].Wrong(w.site, at(fmt.Sprint(key, i)))
	}
	w.tick()
	w.raised("after fifty wrong codes", key, false)
	w.alarms[0].Wrong(w.site, at(key))
	w.tick()
	w.raised("after fifty-one wrong codes", key, true)
}

// TestSettings: a site's word comes first.
func TestSettings(t *testing.T) {
	w := newTown(t, 1)
	flood := func() { w.minutes(1, 1000, key) }
	w.site.Settings.RateLimit = false
	flood()
	w.raised("with rate_limit=off", key, false)
	w.site.Settings.RateLimit, w.site.Settings.AttackMode = true, comments.AttackOff
	flood()
	w.raised("with attack_mode=off", key, false)
	if len(w.events()) != 0 {
		t.Errorf("%v", w.events())
	}
	w.site.Settings.AttackMode = comments.AttackOn
	w.raised("with attack_mode=on", key, true)
	if going := w.alarms[0].Going(t.Context(), w.site); len(going) != 1 || going[0].Why != moderation.AttackBySetting {
		t.Errorf("with attack_mode=on: %+v", going)
	}
	w.site.Settings.AttackMode = comments.AttackAuto
	w.raised("with attack_mode=auto", key, false)
	flood()
	w.raised("in a flood", key, true)
	w.site.Settings.AttackMode = comments.AttackOff
	w.raised("in a flood, with attack_mode=off", key, false)
}

// TestByHand: what somebody began goes on until somebody ends it.
func TestByHand(t *testing.T) {
	w := newTown(t, 2)
	put := func(a moderation.Attack, kind comments.Kind) {
		t.Helper()
		d, err := a.Document("m-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.documents.PutDocument(t.Context(), d, kind); err != nil {
			t.Fatal(err)
		}
	}
	put(moderation.Attack{Site: "news", Page: key, By: "m-1", Why: moderation.AttackByHand, At: w.now, Loud: w.now}, moderation.KindAttackBegan)
	w.tick()
	w.raised("by hand", key, true)
	for i, a := range w.alarms {
		if going := a.Going(t.Context(), w.site); len(going) != 1 || going[0].Page != key || going[0].By != "m-1" {
			t.Errorf("node %d tells of %+v", i, going)
		}
	}
	w.raised("by hand for a page", key+"/other", false)
	w.minutes(40, 0, key)
	w.raised("after forty minutes", key, true)
	d, err := w.documents.Documents(t.Context(), "news", moderation.DocAttack)
	if err != nil || len(d) != 1 {
		t.Fatal(d, err)
	}
	d[0].By, d[0].Data = "m-2", nil
	if err := w.documents.RemoveDocument(t.Context(), d[0], moderation.KindAttackEnded); err != nil {
		t.Fatal(err)
	}
	w.tick()
	w.raised("ended by hand", key, false)
}

// TestBounded: made-up pages take no more room than there is, and old ones go.
func TestBounded(t *testing.T) {
	w := newTown(t, 1)
	for i := range PagesMost + 100 {
		w.come(1, fmt.Sprint(key, i))
	}
	if n := len(w.alarms[0].heard); n != PagesMost+1 {
		t.Errorf("%d are listened to", n)
	}
	w.minutes(62, 0, key)
	if n := len(w.alarms[0].heard); n != 0 {
		t.Errorf("%d are listened to an hour later", n)
	}
	if w.alarms[0].pages != 0 {
		t.Errorf("%d pages are counted", w.alarms[0].pages)
	}
}

type away struct{ Counter }

func (away) Add(context.Context, []comments.Arrival) ([]comments.Arrival, error) {
	return nil, comments.ErrUnavailable
}

// TestCounterAway: a node that can't ask the others listens for itself, and tells later.
func TestCounterAway(t *testing.T) {
	w := newTown(t, 2)
	counter := w.alarms[0].cfg.Counter
	w.alarms[0].cfg.Counter = away{}
	for range PageLeast + 1 {
		w.alarms[0].Arrived(w.site, at(key))
	}
	w.alarms[0].Tick(t.Context())
	w.tick()
	w.raised("with the others away,", key, true)
	w.alarms[0].cfg.Counter = counter
	w.tick()
	if got := counter.(*sums).of[comments.Arrival{Site: "news", Minute: w.now.Unix() / 60}].Came; got != PageLeast+1 {
		t.Errorf("the others hear of %d", got)
	}
}

// TestAtOnce: a flood is met by the node it comes to before anybody ticks.
func TestAtOnce(t *testing.T) {
	w := newTown(t, 1)
	w.come(PageLeast+1, key)
	w.raised("at once", key, true)
	w.raised("at once", key+"/other", false)
	w.tick()
	w.raised("once told", key, true)
}

// TestToldAtOnce: whoever begins or ends one sees it before the next Tick.
func TestToldAtOnce(t *testing.T) {
	w := newTown(t, 1)
	attack := moderation.Attack{Site: "news", By: "m-1", Why: moderation.AttackByHand, At: w.now, Loud: w.now}
	d, err := attack.Document("m-1")
	if err != nil {
		t.Fatal(err)
	}
	if d, err = w.documents.PutDocument(t.Context(), d, moderation.KindAttackBegan); err != nil {
		t.Fatal(err)
	}
	if going := w.alarms[0].Going(t.Context(), w.site); len(going) != 1 || !going[0].At.Equal(w.now) {
		t.Errorf("begun: %+v", going)
	}
	w.site.Settings.AttackMode = comments.AttackOff
	if going := w.alarms[0].Going(t.Context(), w.site); len(going) != 0 {
		t.Errorf("with attack_mode=off: %+v", going)
	}
	w.site.Settings.AttackMode = comments.AttackAuto
	d.Data = nil
	if err := w.documents.RemoveDocument(t.Context(), d, moderation.KindAttackEnded); err != nil {
		t.Fatal(err)
	}
	if going := w.alarms[0].Going(t.Context(), w.site); len(going) != 0 {
		t.Errorf("ended: %+v", going)
	}
}
