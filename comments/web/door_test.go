package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/live"
	"duyet/comments/receipt"
	"duyet/comments/work"
	"duyet/templates"
)

const (
	testSite = "benthuong"
	testPage = "https://news.example/pho-di-bo"
)

// passing is a screener that lets all pass, or holds what says so.
type passing struct{}

func (passing) Screen(_ context.Context, c comments.Candidate) (found comments.Screening, _ error) {
	if strings.Contains(c.Comment.Content, "hold me") {
		found.Signals = []comments.Signal{{Check: "test", Level: comments.LevelHold, Code: "test"}}
	}
	return found, nil
}

// flaky is a store that can be made to fail.
type flaky struct {
	comments.Store
	mu            sync.Mutex
	write, thread error
	down          bool          // nothing answers at all
	reads         int           // of threads
	gate          chan struct{} // when set, the next read of a thread waits for it, having read
	held          chan struct{} // closed once it waits
}

func (f *flaky) fail(write, thread error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write, f.thread = write, thread
}

func (f *flaky) Create(ctx context.Context, c comments.Creation) (comments.Comment, bool, error) {
	f.mu.Lock()
	err := f.write
	f.mu.Unlock()
	if err != nil {
		return comments.Comment{}, false, err
	}
	return f.Store.Create(ctx, c)
}

func (f *flaky) Thread(ctx context.Context, site, key string, sort comments.Sort, after comments.ID, limit int) (list []comments.Comment, err error) {
	err = f.readThread(func() (err error) {
		list, err = f.Store.Thread(ctx, site, key, sort, after, limit)
		return err
	})
	return list, err
}

func (f *flaky) Trees(ctx context.Context, site, key string, sort comments.Sort, from comments.Point, limit int) (list []comments.Tree, err error) {
	err = f.readThread(func() (err error) {
		list, err = f.Store.Trees(ctx, site, key, sort, from, limit)
		return err
	})
	return list, err
}

func (f *flaky) readThread(read func() error) error {
	f.mu.Lock()
	err, gate, held := f.thread, f.gate, f.held
	f.gate = nil
	f.reads++
	f.mu.Unlock()
	if err != nil {
		return err
	}
	err = read()
	if gate != nil {
		close(held)
		<-gate
	}
	return err
}

// hold makes the next read of a thread wait, once it has read, until release is called.
func (f *flaky) hold() (held <-chan struct{}, release func()) {
	gate := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate, f.held = gate, make(chan struct{})
	return f.held, func() { close(gate) }
}

func (f *flaky) threadReads() int { f.mu.Lock(); defer f.mu.Unlock(); return f.reads }

// house is a readers' door over a real store.
type house struct {
	t       testing.TB
	store   *flaky
	db      *boltstore.DB
	svc     *comments.Service
	door    *Door
	handler http.Handler
	readers *audience.Audience
	tickets *captcha.Sealer
	tally   *counted
	api     huma.API
	hub     *live.Hub

	mu  sync.Mutex
	now time.Time
}

type counted struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counted) add(s string)              { c.mu.Lock(); c.seen[s]++; c.mu.Unlock() }
func (c *counted) Submission(outcome string) { c.add("submission " + outcome) }
func (c *counted) Captcha(event string)      { c.add("captcha " + event) }
func (c *counted) of(s string) int           { c.mu.Lock(); defer c.mu.Unlock(); return c.seen[s] }

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) pass(d time.Duration) { h.mu.Lock(); h.now = h.now.Add(d); h.mu.Unlock() }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newHouse opens a door on one site, whose limits are lifted unless settings say otherwise.
func newHouse(t testing.TB, base string, settings ...string) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC), tally: &counted{seen: map[string]int{}}}
	secret := []byte("0123456789abcdef0123456789abcdef")
	db := must(boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "test",
		Key: secret, Holder: "test", Now: h.clock,
	}))(t)
	t.Cleanup(func() {
		if err := db.CheckTree(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h.store, h.db = &flaky{Store: db}, db
	h.tickets = must(captcha.New([][]byte{secret}))(t)
	receipts := must(receipt.New([][]byte{secret}))(t)
	h.svc = comments.NewService(comments.Config{
		Store: h.store, Tickets: h.tickets, Judge: captcha.NewJudge(1000, h.clock),
		Works:    work.New(func() [][]byte { return [][]byte{[]byte("0123456789abcdef")} }, work.NewMemory(1000, time.Now)),
		Limiter:  must(limit.New(limit.DefaultRules(), 1000, h.clock))(t),
		Receipts: receipts, Codes: receipts, Screener: passing{}, Now: h.clock,
	})
	must(h.svc.AddSite(t.Context(), testSite, "Bến Thượng", []string{"https://news.example"}, comments.ActorOperator))(t)
	h.set(append([]string{"rate_limit=off"}, settings...)...)

	var baseURL *url.URL
	if base != "" {
		baseURL = must(url.Parse(base))(t)
	}
	path := ""
	if baseURL != nil {
		path = strings.TrimSuffix(baseURL.Path, "/")
	}
	set := must(templates.New(templates.Options{Base: path}))(t)
	templates.UseProblems(set)
	router := mux.NewRouter()
	config := huma.DefaultConfig("test", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	h.api = humamux.New(router, config)
	gallery := must(captcha.NewGallery(captcha.NewPainter(), 1<<20))(t)
	speaker := must(captcha.NewSpeaker(""))(t)
	h.hub = live.New(live.Config{PerNetwork: 2, Head: func(ctx context.Context, site string) (uint64, error) {
		head, err := db.Head(ctx, site)
		return head.Seq, err
	}})
	t.Cleanup(h.hub.Close)
	h.readers = audience.New(audience.Config{Store: db, Now: h.clock})
	h.door = must(New(Config{
		Service: h.svc, Templates: set, API: h.api, Picture: gallery, Sound: captcha.NewChoir(speaker),
		BaseURL: baseURL, ReceiptCode: receipts.Code, Tally: h.tally, Live: h.hub, Audience: h.readers,
	}))(t)
	db.Observe(h.door.Observer())
	db.Observe(h.hub.Observe)
	db.ObserveLikes(h.door.ObserveLikes)
	h.door.Routes(router)
	h.handler = h.door.Zone(router)
	return h
}

// set changes settings of the site.
func (h *house) set(pairs ...string) {
	h.t.Helper()
	var list []comments.Pair
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		list = append(list, comments.Pair{Key: k, Value: v})
	}
	must(h.svc.SetSite(h.t.Context(), testSite, list, comments.ActorOperator))(h.t)
}

func (h *house) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func (h *house) get(path string, headers ...string) *httptest.ResponseRecorder {
	path, _, _ = strings.Cut(path, "#") // which browsers keep to themselves
	return h.do(request(http.MethodGet, path, "", headers...))
}

// request makes a request with headers given as names and values.
func request(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "comments.example"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (h *house) postJSON(path string, v any, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	body := must(json.Marshal(v))(h.t)
	return h.do(request(http.MethodPost, path, string(body), append([]string{"Content-Type", "application/json"}, headers...)...))
}

func (h *house) postForm(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.do(request(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...))
}

// ticket is a ticket for a page and the digits that solve it.
func (h *house) ticket(page string) (ticket, code string) {
	h.t.Helper()
	site := must(h.svc.Site(h.t.Context(), testSite))(h.t)
	text, t, err := h.svc.IssueTicket(site, page, netip.Addr{})
	if err != nil {
		h.t.Fatal(err)
	}
	return text, digits(t)
}

func digits(t comments.Ticket) string {
	var b strings.Builder
	for _, d := range t.Digits {
		b.WriteByte('0' + d)
	}
	return b.String()
}

func (h *house) solve(ticket string) string {
	h.t.Helper()
	return digits(must(h.tickets.Open(ticket))(h.t))
}

// body is a submission that is right in every field.
func (h *house) body() map[string]any {
	ticket, code := h.ticket(testPage)
	return map[string]any{
		"page": testPage, "page_title": "Phố đi bộ", "name": "Nguyễn Thị Hạnh", "title": "Chỗ gửi xe",
		"content": "Nhà tôi ở đầu ngõ 12.", "ticket": ticket, "code": code,
	}
}

const commentsPath = "/api/v1/sites/" + testSite + "/comments"

// publish stores an approved comment.
func (h *house) publish(page, name, content string, parent comments.ID) comments.Comment {
	h.t.Helper()
	id := must(comments.NewID(testSite))(h.t)
	now := h.clock().Truncate(time.Millisecond)
	c, _, err := h.store.Create(h.t.Context(), comments.Creation{
		Comment: comments.Comment{ID: id, Site: testSite, Page: page, Parent: parent, Name: name, Title: "Tiêu đề của " + name,
			Content: content, Lang: "vi", Status: comments.Approved, CreatedAt: now},
		Page:  comments.Page{Site: testSite, Key: page, URL: page, Title: "Phố đi bộ ven sông", CreatedAt: now},
		Actor: comments.ActorReader,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// decide moves a comment to a status, as a moderator's decision does.
func (h *house) decide(id comments.ID, to comments.Status) {
	h.t.Helper()
	done, err := h.db.Amend(h.t.Context(), []comments.Amendment{{ID: id, Actor: "moderator", Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		c.Status = to
		return &comments.Step{Comment: c, Kind: comments.KindDecided}, nil
	}}})
	if err != nil || done[0].Err != nil {
		h.t.Fatal(err, done)
	}
}

func threadPath(more ...string) string {
	return "/s/" + testSite + "/thread?" + strings.Join(append([]string{"page=" + url.QueryEscape(testPage)}, more...), "&")
}

// problem reads a problem document.
func problem(t testing.TB, w *httptest.ResponseRecorder) templates.Problem {
	t.Helper()
	var p templates.Problem
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("%d is a %s: %s", w.Code, ct, w.Body)
	}
	if err := json.NewDecoder(w.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Status != w.Code {
		t.Errorf("the document says %d, the answer %d", p.Status, w.Code)
	}
	return p
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a door out of nothing")
	}
	if _, err := newCache(10, time.Now); err == nil {
		t.Error("a cache of ten bytes")
	}
}

func TestTallyCountsOutcomes(t *testing.T) {
	h := newHouse(t, "")
	h.postJSON(commentsPath, h.body())
	wrong := h.body()
	wrong["code"] = "x"
	h.postJSON(commentsPath, wrong)
	nameless := h.body()
	nameless["name"] = ""
	h.postJSON(commentsPath, nameless)
	h.store.fail(comments.ErrUnavailable, nil)
	h.postJSON(commentsPath, h.body())
	for _, seen := range []string{"submission pending", "captcha solved", "submission captcha_wrong", "captcha failed", "submission required", "submission unavailable"} {
		if h.tally.of(seen) != 1 {
			t.Errorf("%s: %d times", seen, h.tally.of(seen))
		}
	}
}

func TestUnavailableStoreIs503WithRetryAfter(t *testing.T) {
	h := newHouse(t, "")
	h.store.fail(errors.Join(comments.ErrUnavailable, io.ErrShortWrite), nil)
	w := h.postJSON(commentsPath, h.body())
	if p := problem(t, w); p.Status != 503 || w.Header().Get("Retry-After") == "" || p.Code != "unavailable" {
		t.Errorf("%+v %v", p, w.Header())
	}
	h.store.fail(nil, nil)
	if w := h.postJSON(commentsPath, h.body()); w.Code != 201 {
		t.Errorf("does not work again: %d %s", w.Code, w.Body)
	}
}
