package oidc_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"duyet/moderation"
	"duyet/moderation/oidc"
)

const secret = "a secret between the two"

// users are the provider's, one of whom has an address that nobody has verified.
type users struct{ storage.UserStore }

func (u users) GetUserByID(id string) *storage.User { return doubted(u.UserStore.GetUserByID(id)) }

func (u users) GetUserByUsername(name string) *storage.User {
	return doubted(u.UserStore.GetUserByUsername(name))
}

func doubted(u *storage.User) *storage.User {
	if u == nil || u.Username != "test-user2" {
		return u
	}
	one := *u
	one.EmailVerified = false
	return &one
}

// provider is a real one, in this process, that knows the client "desk" at a callback.
func provider(t *testing.T, callback string) (issuer string) {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	issuer = server.URL + "/"
	storage.RegisterClients(storage.WebClient("desk", secret, callback))
	handler = exampleop.SetupServer(issuer, storage.NewStorage(users{storage.NewUserStore(issuer)}), slog.New(slog.DiscardHandler), false)
	return issuer
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// goThere is a person who goes to an address of the provider, signs in there, and is sent
// back: the answer's parameters.
func goThere(t *testing.T, address, username string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "desk.example" {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(page.Body)
	page.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	id := requestID.FindSubmatch(body)
	if id == nil {
		t.Fatalf("no form at the provider: %d %s", page.StatusCode, body)
	}
	answer, err := client.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+"/login/username",
		url.Values{"id": {string(id[1])}, "username": {username}, "password": {"verysecure"}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if back == nil {
		t.Fatalf("the provider sends nobody back: %d", answer.StatusCode)
	}
	return back.Query()
}

func desk(t *testing.T, clientSecret string) *oidc.Provider {
	t.Helper()
	callback, err := url.Parse("https://desk.example/moderation/login/provider/answer")
	if err != nil {
		t.Fatal(err)
	}
	p, err := oidc.New(oidc.Config{
		Issuer: provider(t, callback.String()), ClientID: "desk", ClientSecret: clientSecret, Callback: callback,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignIn(t *testing.T) {
	p := desk(t, secret)
	address, asked, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	back := goThere(t, address, "test-user@127.0.0.1")
	if back.Get("state") != asked.State {
		t.Errorf("state %q came back, not %q", back.Get("state"), asked.State)
	}
	email, err := p.Finish(t.Context(), asked, back.Get("code"))
	if err != nil || email != "test-user@zitadel.ch" {
		t.Fatalf("%q, %v", email, err)
	}
	if _, err := p.Finish(t.Context(), asked, back.Get("code")); !errors.Is(err, moderation.ErrProvider) {
		t.Errorf("a code twice: %v", err)
	}
}

func TestRefused(t *testing.T) {
	p := desk(t, secret)
	for name, change := range map[string]func(*moderation.Asking){
		"another nonce":    func(a *moderation.Asking) { a.Nonce = "x" },
		"another verifier": func(a *moderation.Asking) { a.Verifier = "another verifier, of the same length as all of them" },
	} {
		address, asked, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		back := goThere(t, address, "test-user@127.0.0.1")
		change(&asked)
		if _, err := p.Finish(t.Context(), asked, back.Get("code")); !errors.Is(err, moderation.ErrProvider) {
			t.Errorf("%s: %v", name, err)
		}
	}
	address, asked, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Finish(t.Context(), asked, goThere(t, address, "test-user2").Get("code")); !errors.Is(err, moderation.ErrBadSignIn) {
		t.Errorf("an address that nobody has verified: %v", err)
	}
	wrong := desk(t, "another secret")
	if address, asked, err = wrong.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Finish(t.Context(), asked, goThere(t, address, "test-user@127.0.0.1").Get("code")); !errors.Is(err, moderation.ErrProvider) {
		t.Errorf("the wrong secret: %v", err)
	}
}

// A provider that is away keeps nobody from starting, and is asked again.
func TestProviderIsAway(t *testing.T) {
	away := true
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	handler = exampleop.SetupServer(server.URL+"/", storage.NewStorage(storage.NewUserStore(server.URL)), slog.New(slog.DiscardHandler), false)
	callback := &url.URL{Scheme: "https", Host: "desk.example", Path: "/x"}
	p, err := oidc.New(oidc.Config{Issuer: server.URL + "/", ClientID: "desk", Callback: callback})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Begin(t.Context()); !errors.Is(err, moderation.ErrProvider) {
		t.Errorf("away: %v", err)
	}
	away = false
	if _, _, err := p.Begin(t.Context()); err != nil {
		t.Errorf("back again: %v", err)
	}
	for _, issuer := range []string{"", "nope", "http://provider.example", "ftp://provider.example"} {
		if _, err := oidc.New(oidc.Config{Issuer: issuer, ClientID: "desk", Callback: callback}); err == nil {
			t.Errorf("issuer %q is taken", issuer)
		}
	}
}
