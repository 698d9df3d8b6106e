package outside_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
)

var (
	boss  = moderation.Moderator{ID: "m-1", Role: moderation.Admin, Sites: []string{"bao"}}
	clerk = moderation.Moderator{ID: "m-2", Role: moderation.Editor, Sites: []string{"bao"}}
	owner = moderation.Moderator{ID: "m-4", Role: moderation.Owner}
	guest = moderation.Moderator{ID: "m-3", Role: moderation.Viewer, Sites: []string{"bao"}}
)

var (
	secretBytes = []byte("24 bytes of secret, or more")
	secret      = "whsec_" + base64.StdEncoding.EncodeToString(secretBytes)
)

const apiKey = "c0ffee123456"

// loopback is what the tests' operator allows.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// house is a real store with a site on it, and what asks elsewhere for it.
type house struct {
	testing.TB
	db    *boltstore.DB
	store *modstore.Store
	desk  *moderation.Service
	path  string
	now   time.Time
	out   *outside.Outside
}

func newHouse(t testing.TB, change ...func(*outside.Config)) *house {
	t.Helper()
	h := &house{TB: t, now: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC), path: filepath.Join(t.TempDir(), "duyet.db")}
	clock := func() time.Time { return h.now }
	var err error
	h.db, err = boltstore.Open(t.Context(), boltstore.Options{
		Path: h.path, Create: true, Installation: "test", Fingerprint: "fingerprint", Key: []byte("0123456789abcdef0123456789abcdef"), Now: clock,
	})
	h.must(err)
	t.Cleanup(func() { h.must(h.db.Close()) })
	h.store, err = modstore.New(t.Context(), h.db)
	h.must(err)
	for _, id := range []string{"bao", "khac"} {
		_, err = h.db.AddSite(t.Context(), comments.Site{ID: id, Settings: comments.DefaultSettings()}, comments.ActorOperator)
		h.must(err)
	}
	sites := comments.NewService(comments.Config{Store: h.db, Now: clock})
	h.desk = moderation.NewService(moderation.Config{
		Store: h.store, Comments: sites, Sites: h.db, Pages: h.db, Mover: sites, Desk: sites, Journal: h.db, Now: clock, Key: []byte("a key of the tests, long enough"),
	})
	h.out = h.outside(change...)
	h.out.Allow(loopback)
	return h
}

// outside is another one on the same store, as after a restart; nothing is allowed yet.
func (h *house) outside(change ...func(*outside.Config)) *outside.Outside {
	h.Helper()
	cfg := outside.Config{
		Documents: h.store, Addresses: h.store, Comments: h.db, Key: []byte("another key of the tests"), Now: func() time.Time { return h.now },
		Log: slog.New(slog.DiscardHandler), PauseFirst: time.Millisecond,
		Allowed: func(_ context.Context, who moderation.Moderator, p moderation.Permission, site string) error {
			if !who.May(p, site) {
				return comments.ErrForbidden
			}
			return nil
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	o, err := outside.New(cfg)
	h.must(err)
	h.db.Observe(o.Observe)
	return o
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// service is a server on loopback, over TLS, with its roots.
func service(t testing.TB, answer http.HandlerFunc) (*httptest.Server, func(*outside.Config)) {
	t.Helper()
	s := httptest.NewTLSServer(answer)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, func(c *outside.Config) { c.Roots, c.AkismetURL = roots, s.URL+"/1.1/" }
}

// hook switches the hook on.
func (h *house) hook(url string) {
	h.Helper()
	s, err := h.out.Settings(h.Context(), boss, "bao")
	h.must(err)
	h.must(h.out.SetHook(h.Context(), boss, "bao", outside.HookChange{On: true, URL: url, Within: outside.HookUsual, Secret: secret, Version: s.Hook.Version}))
}

// akismet switches Akismet on, and feedback.
func (h *house) akismet() {
	h.Helper()
	h.must(h.out.SetAkismet(h.Context(), boss, "bao", outside.AkismetChange{On: true, Feedback: true, Blog: "https://bao.example", Key: apiKey}))
}

func candidate() comments.Candidate {
	return comments.Candidate{
		Site: comments.Site{ID: "bao"}, Addr: netip.MustParseAddr("203.0.113.9"), Agent: "Mozilla/5.0", Referrer: "https://bao.example/pho",
		Page: comments.Page{Site: "bao", Key: "https://bao.example/pho", URL: "https://bao.example/pho"},
		Comment: comments.Comment{
			Site: "bao", Page: "https://bao.example/pho", Name: "Hạnh", Title: "Cảm ơn", Content: "Bài rất hữu ích.", Lang: "vi",
			CreatedAt: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC),
		},
	}
}

// screen is what the checks say, as "check.code.level".
func (h *house) screen(c comments.Candidate) (said []string) {
	h.Helper()
	for _, s := range h.signals(c) {
		said = append(said, s.Check+"."+s.Code+"."+string(s.Level))
	}
	return said
}

func (h *house) signals(c comments.Candidate) []comments.Signal {
	h.Helper()
	found, err := screen.New(h.out.Checks()...).Screen(h.Context(), c)
	h.must(err)
	return found.Signals
}

func (h *house) says(c comments.Candidate, want ...string) {
	h.Helper()
	if got := h.screen(c); !slices.Equal(got, want) {
		h.Errorf("said %v, not %v", got, want)
	}
}

// post stores a comment with what Akismet said of it.
func (h *house) post(name string, signals ...comments.Signal) comments.Comment {
	h.Helper()
	id, err := comments.NewID("bao")
	h.must(err)
	c := candidate().Comment
	c.ID, c.Name, c.Status, c.CreatedAt, c.Signals = id, name, comments.Pending, h.now, signals
	c, _, err = h.db.Create(h.Context(), comments.Creation{
		Comment: c, Page: candidate().Page, Actor: comments.ActorReader,
		Author: comments.Author{Addr: netip.MustParseAddr("203.0.113.9"), Expires: h.now.Add(time.Hour)},
	})
	h.must(err)
	return c
}

func (h *house) decide(c comments.Comment, action moderation.Action) {
	h.Helper()
	d := moderation.Decision{ID: string(c.ID), Action: action}
	if action == moderation.Undo || action == moderation.Approve {
		now, err := h.db.Comment(h.Context(), c.ID)
		h.must(err)
		d.Version = &now.Version
	}
	done, err := h.desk.Decide(h.Context(), clerk, []moderation.Decision{d})
	h.must(err)
	h.must(done[0].Err)
}

func contains(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}
