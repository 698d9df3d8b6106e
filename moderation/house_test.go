package moderation_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	modpgstore "duyet/moderation/pgstore"
)

// house is a service on a real store, with a clock that a test moves.
type house struct {
	*testing.T
	*moderation.Service
	db    houseStore
	sites *comments.Service
	cfg   moderation.Config
	now   time.Time
}

var someAddr = netip.MustParseAddr("203.0.113.7")

// houseStore is what the tests ask of the readers' store.
type houseStore interface {
	comments.Store
	Observe(comments.Observer)
}

// cluster is the server of the tests that run on both stores.
var cluster pgtest.Cluster

func TestMain(m *testing.M) { pgtest.Main(m, &cluster) }

// onBoth runs a test on the embedded file and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("bbolt", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newHouseOnPostgres(t)) })
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, now: time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)}
	db, err := boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test", Now: h.clock,
	})
	h.must(err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := db.CheckTree(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Check(ctx, nil, func(p boltstore.Problem) { t.Errorf("check: %s", p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := modstore.New(t.Context(), db)
	h.must(err)
	return h.move(db, store)
}

func newHouseOnPostgres(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, now: time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)}
	db, err := pgstore.Open(t.Context(), cluster.Database(t), pgstore.Options{
		Key: []byte("0123456789abcdef0123456789abcdef"), Fingerprint: "fingerprint", Installation: "test", Now: h.clock,
	})
	h.must(err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := modpgstore.New(t.Context(), db)
	h.must(err)
	return h.move(db, store)
}

func (h *house) clock() time.Time { return h.now }

// move puts the service over its stores.
func (h *house) move(db houseStore, store moderation.Store) *house {
	h.Helper()
	h.db = db
	clock := h.clock
	throttle, err := limit.NewSignIn(1000, clock)
	h.must(err)
	h.sites = comments.NewService(comments.Config{Store: h.db, Now: clock})
	h.cfg = moderation.Config{
		Store: store, Comments: h.sites, Sites: h.db, Pages: h.db, Desk: h.sites, Journal: h.db, Throttle: throttle, Now: clock, Key: []byte("a key of the tests, long enough"),
	}
	h.Service = moderation.NewService(h.cfg)
	for _, id := range []string{"bao", "khac"} {
		_, err := h.sites.AddSite(h.Context(), id, "Báo "+id, []string{"https://" + id + ".example"}, comments.ActorOperator)
		h.must(err)
	}
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// person adds one without a password.
func (h *house) person(email string, role moderation.Role, sites ...string) moderation.Moderator {
	h.Helper()
	m, err := h.AddPerson(h.Context(), email, role, sites, "")
	h.must(err)
	return m
}

// comment stores one of the site, pending unless another status is named.
func (h *house) comment(site string, status comments.Status) comments.Comment {
	h.Helper()
	id, err := comments.NewID(site)
	h.must(err)
	page := "https://" + site + ".example/bai"
	c, _, err := h.db.Create(h.Context(), comments.Creation{
		Comment: comments.Comment{
			ID: id, Site: site, Page: page, Name: "Nguyễn Thị Hạnh", Title: "Cảm ơn tòa soạn", Content: "Bài rất hữu ích.",
			Lang: "vi", Status: status, CreatedAt: h.now,
		},
		Page:  comments.Page{Site: site, Key: page, URL: page, Title: "Phố đi bộ", CreatedAt: h.now},
		Actor: comments.ActorReader,
	})
	h.must(err)
	return c
}

// decideOne is a decision that must be about a comment that stands.
func (h *house) decideOne(who moderation.Moderator, d moderation.Decision) moderation.Result {
	h.Helper()
	results, err := h.Decide(h.Context(), who, []moderation.Decision{d})
	h.must(err)
	if len(results) != 1 || results[0].ID != d.ID {
		h.Fatalf("one decision has the results %+v", results)
	}
	return results[0]
}

// stands is the comment as it stands, by who may see everything.
func (h *house) stands(id comments.ID) moderation.View {
	h.Helper()
	v, err := h.Comment(h.Context(), moderation.Moderator{Role: moderation.Viewer}, string(id))
	h.must(err)
	return v
}

func from(addr netip.Addr) moderation.From { return moderation.From{Addr: addr} }
