package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"
	"golang.org/x/net/html"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/limit"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/console"
	"duyet/moderation/passkey"
	"duyet/templates"
)

// house is the moderators' door on a real store, with a clock that a test moves.
type house struct {
	testing.TB
	svc    *moderation.Service
	db     *boltstore.DB
	sites  *comments.Service
	set    *templates.Set
	api    huma.API
	door   http.Handler
	routes *mux.Router
	now    time.Time
	// quiet lets the door log faults, where a test makes some.
	quiet    bool
	provider string // where sign-in by an identity provider leads to
	rebuild  func()

	screening *console.Screening
	alarm     console.Alarm
}

func newHouse(t testing.TB, base string, siteIDs ...string) *house {
	t.Helper()
	h := &house{TB: t, now: time.Now().Add(-time.Hour).Truncate(time.Millisecond)}
	clock := func() time.Time { return h.now }
	var err error
	h.db, err = boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Holder: "test", Now: clock,
	})
	h.must(err)
	t.Cleanup(func() {
		if err := h.db.CheckTree(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := modstore.New(t.Context(), h.db)
	h.must(err)
	throttle, err := limit.NewSignIn(1000, clock)
	h.must(err)
	h.sites = comments.NewService(comments.Config{Store: h.db, Now: clock})
	h.svc = moderation.NewService(moderation.Config{
		Store: store, Comments: h.sites, Sites: h.db, Pages: h.db, Mover: h.sites, Desk: h.sites, Journal: h.db, Throttle: throttle, Now: clock, Key: []byte("a key of the tests, long enough"),
		Passkeys: passkey.Ceremonies{},
	})
	for _, id := range siteIDs {
		_, err := h.sites.AddSite(t.Context(), id, "Báo "+id, []string{"https://" + id + ".example"}, comments.ActorOperator)
		h.must(err)
	}
	var baseURL *url.URL
	if base != "" {
		baseURL, err = url.Parse(base)
		h.must(err)
	}
	h.rebuild = func() { h.build(store, baseURL, clock) }
	h.rebuild()
	return h
}

func (h *house) build(sessions moderation.SessionStore, baseURL *url.URL, clock func() time.Time) {
	h.Helper()
	path := ""
	if baseURL != nil {
		path = strings.TrimSuffix(baseURL.Path, "/")
	}
	var err error
	h.set, err = templates.New(templates.Options{Base: path, Log: slog.New(slog.NewTextHandler(testLog{h}, nil))})
	h.must(err)
	templates.UseProblems(h.set)
	router := mux.NewRouter()
	h.routes = router
	config := huma.DefaultConfig("test", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	h.api = humamux.New(router, config)
	c, err := console.New(console.Config{
		Service: h.svc, Sessions: sessions, Templates: h.set, API: h.api, BaseURL: baseURL, Now: clock, Screening: h.screening,
		ProviderURL: h.provider, ProviderName: "Tòa soạn", Alarm: h.alarm,
		ClientIP: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
	})
	h.must(err)
	c.Routes(router)
	h.db.Observe(c.Observe)
	h.Cleanup(c.EndLive)
	router.PathPrefix("/static/").Handler(http.StripPrefix("/static/", h.set.Static()))
	h.door = c.Zone(router)
}

// testLog takes what the door logs of its own faults, of which there should be none.
type testLog struct{ *house }

func (l testLog) Write(p []byte) (int, error) {
	if l.quiet {
		return len(p), nil
	}
	l.Errorf("logged: %s", p)
	return len(p), nil
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) person(email string, role moderation.Role, sites ...string) moderation.Moderator {
	h.Helper()
	m, err := h.svc.AddPerson(h.Context(), email, role, sites, "")
	h.must(err)
	return m
}

func (h *house) token(email string) string {
	h.Helper()
	secret, err := h.svc.NewToken(h.Context(), email, comments.ActorOperator)
	h.must(err)
	return secret
}

// comment stores one of the site; change may alter it before.
func (h *house) comment(site string, change func(*comments.Comment)) comments.Comment {
	h.Helper()
	id, err := comments.NewID(site)
	h.must(err)
	page := "https://" + site + ".example/pho-di-bo"
	c := comments.Comment{
		ID: id, Site: site, Page: page, Name: "Nguyễn Thị Hạnh", Title: "Cảm ơn tòa soạn", Content: "Bài rất hữu ích.",
		Lang: "vi", Status: comments.Pending, CreatedAt: h.now,
	}
	if change != nil {
		change(&c)
	}
	c, _, err = h.db.Create(h.Context(), comments.Creation{
		Comment: c, Actor: comments.ActorReader,
		Page: comments.Page{Site: site, Key: page, URL: page, Title: "Phố đi bộ ven sông", CreatedAt: h.now},
	})
	h.must(err)
	return c
}

func (h *house) stands(id comments.ID) moderation.View {
	h.Helper()
	v, err := h.svc.Comment(h.Context(), moderation.Moderator{Role: moderation.Viewer}, string(id))
	h.must(err)
	return v
}

// browser keeps cookies as a browser does, and sends what a browser sends.
type browser struct {
	*house
	cookies map[string]*http.Cookie
	lang    string
	agent   string
}

func (h *house) browser() *browser {
	return &browser{house: h, cookies: map[string]*http.Cookie{}, lang: "vi"}
}

// signedIn is the browser of a person who has used a one-time link.
func (h *house) signedIn(email string) *browser {
	h.Helper()
	secret, err := h.svc.NewLink(h.Context(), email)
	h.must(err)
	b := h.browser()
	if r := b.post("/moderation/link", url.Values{"token": {secret}}); r.Code != http.StatusSeeOther {
		h.Fatalf("link: %d %s", r.Code, r.Body)
	}
	return b
}

// answer is a response with its page, if it is one.
type answer struct {
	*httptest.ResponseRecorder
	page *html.Node
	path string // that was asked for
}

func (b *browser) do(r *http.Request) answer {
	b.Helper()
	r.Header.Set("Accept-Language", b.lang)
	r.Header.Set("User-Agent", b.agent)
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	b.door.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	a := answer{ResponseRecorder: w, path: r.URL.RequestURI()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		var err error
		a.page, err = html.Parse(strings.NewReader(w.Body.String()))
		b.must(err)
	}
	return a
}

func (b *browser) get(path string) answer {
	b.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (b *browser) post(path string, form url.Values) answer {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://example.com") // the host of httptest
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// follow answers a redirection.
func (b *browser) follow(a answer) answer {
	b.Helper()
	if a.Code != http.StatusSeeOther {
		b.Fatalf("%d, no redirection: %s", a.Code, a.Body)
	}
	return b.get(a.Header().Get("Location"))
}

// press sends the form that holds the button with the value, as a browser does, with the
// fields of set in place of its own: the first form on the page that is about comments of
// its own, not the selection's. A value of no button fails the test.
func (b *browser) press(a answer, value string, set url.Values) answer {
	b.Helper()
	button := a.find(func(n *html.Node) bool {
		return n.Data == "button" && attr(n, "value") == value && formOf(n) != nil && attr(formOf(n), "class") != "selection"
	})
	if button == nil {
		b.Fatalf("no button %q on %s", value, a.Body)
	}
	form := formOf(button)
	fields := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		switch {
		case name == "" || n.Data == "button":
		case n.Data == "input" && (attr(n, "type") == "radio" || attr(n, "type") == "checkbox") && !has(n, "checked"):
		case n.Data == "textarea":
			fields.Add(name, text(n))
		case n.Data == "input":
			fields.Add(name, attr(n, "value"))
		}
	}
	for name, values := range set {
		fields[name] = values
	}
	fields.Set("action", value)
	return b.post(attr(form, "action"), fields)
}

func formOf(n *html.Node) *html.Node {
	for n != nil && n.Data != "form" {
		n = n.Parent
	}
	return n
}

// find is the first element for which ok says so, in document order.
func (a answer) find(ok func(*html.Node) bool) *html.Node {
	for n := range a.page.Descendants() {
		if n.Type == html.ElementNode && ok(n) {
			return n
		}
	}
	return nil
}

// role is the text of the first element with the role.
func (a answer) role(role string) string {
	if n := a.find(func(n *html.Node) bool { return attr(n, "role") == role }); n != nil {
		return text(n)
	}
	return ""
}

// says reports whether the page shows all of the words.
func (a answer) says(words ...string) error {
	shown := text(a.page)
	for _, w := range words {
		if !strings.Contains(shown, w) {
			return fmt.Errorf("it doesn't say %q but %s", w, shown)
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// text is what an element shows, spaces made one.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// call uses the API.
func (h *house) call(method, path, token, body string) *httptest.ResponseRecorder {
	h.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, in)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	return w
}
