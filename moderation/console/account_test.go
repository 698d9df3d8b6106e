package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"

	"duyet/moderation"
)

// in signs in by password on a browser of its own.
func (h *house) in(email string) *browser {
	h.Helper()
	b := h.browser()
	b.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	if a := b.post("/moderation/login", url.Values{"email": {email}, "password": {password}}); a.Code != http.StatusSeeOther {
		h.Fatalf("sign-in: %d %s", a.Code, a.Body)
	}
	return b
}

// value is the value of the first field of that name on a page.
func (a answer) value(name string) string {
	if n := a.find(func(n *html.Node) bool { return attr(n, "name") == name && n.Data == "input" }); n != nil {
		return attr(n, "value")
	}
	return ""
}

func (a answer) class(class string) string {
	if n := a.find(func(n *html.Node) bool { return attr(n, "class") == class }); n != nil {
		return text(n)
	}
	return ""
}

const accountPath = "/moderation/account"

func TestSecondStep(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b := h.in("an@bao.example")
	offer := b.post(accountPath, url.Values{"do": {"totp_offer"}})
	secret := offer.class("secret")
	if qr := offer.find(func(n *html.Node) bool { return attr(n, "class") == "qr" }); qr == nil {
		t.Fatal("no picture to scan")
	} else if img := b.get(attr(qr, "src")); img.Code != http.StatusOK || img.Header().Get("Content-Type") != "image/png" {
		t.Errorf("picture: %d", img.Code)
	}
	code := func() string {
		c, err := totp.GenerateCode(secret, h.now)
		h.must(err)
		return c
	}
	wrong := b.post(accountPath, url.Values{"do": {"totp"}, "offer": {offer.value("offer")}, "code": {"000000"}, "password": {password}})
	if wrong.Code != http.StatusUnprocessableEntity || wrong.class("secret") != secret {
		t.Errorf("a wrong first code: %d, %q", wrong.Code, wrong.class("secret"))
	}
	taken := b.post(accountPath, url.Values{"do": {"totp"}, "offer": {wrong.value("offer")}, "code": {code()}, "password": {password}})
	recovery := strings.Fields(taken.class("codes"))
	if taken.Code != http.StatusOK || len(recovery) != 10 {
		t.Fatalf("%d, recovery codes %v: %s", taken.Code, recovery, taken.Body)
	}

	h.now = h.now.Add(time.Minute)
	c := h.browser()
	a := c.post("/moderation/login", url.Values{"email": {"an@bao.example"}, "password": {password}, "next": {"/moderation/?queue=spam"}})
	if to := a.Header().Get("Location"); !strings.HasPrefix(to, "/moderation/login/code?next=") {
		t.Fatalf("sent to %s", to)
	}
	if a := c.get("/moderation/"); a.Code != http.StatusSeeOther {
		t.Errorf("half a sign-in opens the desk: %d", a.Code)
	}
	form := c.follow(a)
	if a := c.post("/moderation/login/code", url.Values{"code": {"123"}, "next": {form.value("next")}}); a.Code != http.StatusUnauthorized || a.role("alert") == "" {
		t.Errorf("a wrong code: %d", a.Code)
	}
	half := c.cookies["duyet_session"].Value
	a = c.post("/moderation/login/code", url.Values{"code": {code()}, "next": {form.value("next")}})
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != "/moderation/?queue=spam" {
		t.Fatalf("%d to %s", a.Code, a.Header().Get("Location"))
	}
	if c.cookies["duyet_session"].Value == half {
		t.Error("the session kept its key when it came to be")
	}
	if a := c.get("/moderation/"); a.Code != http.StatusOK {
		t.Errorf("the desk: %d", a.Code)
	}

	late := h.browser()
	late.post("/moderation/login", url.Values{"email": {"an@bao.example"}, "password": {password}})
	h.now = h.now.Add(11 * time.Minute)
	if a := late.post("/moderation/login/code", url.Values{"code": {recovery[0]}}); a.Header().Get("Location") != "/moderation/login?ended=1" {
		t.Errorf("a second step too late: %d to %s", a.Code, a.Header().Get("Location"))
	}
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	one, two := h.in("an@bao.example"), h.in("an@bao.example")
	page := one.get(accountPath)
	if err := page.says("Firefox trên Linux"); err != nil {
		t.Error(err)
	}
	id := page.find(func(n *html.Node) bool {
		return attr(n, "name") == "id" && n.Parent != nil && strings.Contains(text(n.Parent), "Kết thúc")
	})
	if id == nil {
		t.Fatalf("no other session listed: %s", page.Body)
	}
	one.follow(one.post(accountPath, url.Values{"do": {"session"}, "id": {attr(id, "value")}}))
	if a := two.get("/moderation/"); a.Code != http.StatusSeeOther {
		t.Errorf("a revoked session: %d", a.Code)
	}
	if a := one.get("/moderation/"); a.Code != http.StatusOK {
		t.Errorf("the other session: %d", a.Code)
	}
	three := h.in("an@bao.example")
	h.now = h.now.Add(time.Second)
	one.post(accountPath, url.Values{"do": {"everywhere"}})
	for i, b := range []*browser{one, three} {
		if a := b.get("/moderation/"); a.Code != http.StatusSeeOther {
			t.Errorf("signed out everywhere, but session %d: %d", i, a.Code)
		}
	}
}

func TestOwnPassword(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b, other := h.in("an@bao.example"), h.in("an@bao.example")
	h.now = h.now.Add(time.Second)
	const better = "cầu vồng sau mưa"
	for name, try := range map[string]url.Values{
		"the wrong one": {"password": {"not this one"}, "new": {better}, "again": {better}},
		"too short":     {"password": {password}, "new": {"short"}, "again": {"short"}},
		"not the same":  {"password": {password}, "new": {better}, "again": {better + "!"}},
	} {
		try.Set("do", "password")
		if a := b.post(accountPath, try); a.Code != http.StatusUnprocessableEntity || a.find(func(n *html.Node) bool { return attr(n, "aria-invalid") == "true" }) == nil {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	a := b.follow(b.post(accountPath, url.Values{"do": {"password"}, "password": {password}, "new": {better}, "again": {better}}))
	if a.Code != http.StatusOK {
		t.Errorf("who changed the password is out: %d", a.Code)
	}
	if a := other.get("/moderation/"); a.Code != http.StatusSeeOther {
		t.Errorf("another session goes on: %d", a.Code)
	}
}

func TestOwnTokens(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b := h.in("an@bao.example")
	a := b.post(accountPath, url.Values{"do": {"token"}, "name": {"kênh tin"}, "for": {"30"}, "scope": {"see"}})
	secret := a.class("secret")
	if w := h.call("GET", "/api/v1/moderation/queue?site=bao", secret, ""); w.Code != http.StatusOK {
		t.Errorf("looking: %d %s", w.Code, w.Body)
	}
	if w := h.call("POST", "/api/v1/moderation/decisions", secret, `{"decisions":[]}`); w.Code != http.StatusForbidden {
		t.Errorf("deciding: %d", w.Code)
	}
	page := b.get(accountPath)
	if err := page.says("kênh tin", "Xem"); err != nil {
		t.Error(err)
	}
	if strings.Contains(page.Body.String(), secret) {
		t.Error("a token is shown twice")
	}
	b.follow(b.post(accountPath, url.Values{"do": {"token_off"}, "id": {page.value("id")}}))
	if w := h.call("GET", "/api/v1/moderation/queue?site=bao", secret, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("a removed token: %d", w.Code)
	}
}

// sendJSON is what the desk's script sends.
func (b *browser) sendJSON(path string, v any) answer {
	b.Helper()
	body, err := json.Marshal(v)
	b.must(err)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Origin", "http://example.com")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

type begun struct {
	Key     string          `json:"key"`
	Options json.RawMessage `json:"options"`
}

func (a answer) begun(t *testing.T) (b begun) {
	t.Helper()
	if a.Code != http.StatusOK || json.Unmarshal(a.Body.Bytes(), &b) != nil {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	b.Options = json.RawMessage(`{"publicKey":` + string(b.Options) + `}`)
	return b
}

func TestPasskeys(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	b := h.in("an@bao.example")
	if a := b.sendJSON(accountPath+"/passkey/begin", map[string]string{"password": "not this one"}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("without the password: %d", a.Code)
	}
	rp := virtualwebauthn.RelyingParty{Name: "Duyet", ID: "example.com", Origin: "http://example.com"}
	device, key := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	make := b.sendJSON(accountPath+"/passkey/begin", map[string]string{"password": password}).begun(t)
	asked, err := virtualwebauthn.ParseAttestationOptions(string(make.Options))
	h.must(err)
	made := virtualwebauthn.CreateAttestationResponse(rp, device, key, *asked)
	finish := map[string]any{"key": make.Key, "name": "máy ở tòa soạn", "answer": json.RawMessage(made)}
	if a := b.sendJSON(accountPath+"/passkey", finish); a.Code != http.StatusOK {
		t.Fatalf("made: %d %s", a.Code, a.Body)
	}
	if a := b.sendJSON(accountPath+"/passkey", finish); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("the same answer again: %d", a.Code)
	}
	if err := b.get(accountPath).says("máy ở tòa soạn"); err != nil {
		t.Error(err)
	}
	device.Options.UserHandle = []byte(asked.UserID)
	device.AddCredential(key)

	use := func(rp virtualwebauthn.RelyingParty, key virtualwebauthn.Credential) (*browser, answer) {
		c := h.browser()
		use := c.sendJSON("/moderation/login/passkey/begin", map[string]string{}).begun(t)
		asked, err := virtualwebauthn.ParseAssertionOptions(string(use.Options))
		h.must(err)
		used := virtualwebauthn.CreateAssertionResponse(rp, device, key, *asked)
		return c, c.sendJSON("/moderation/login/passkey", map[string]any{"key": use.Key, "next": "/moderation/?queue=spam", "answer": json.RawMessage(used)})
	}
	c, a := use(rp, key)
	var done struct {
		Next string `json:"next"`
	}
	if a.Code != http.StatusOK || json.Unmarshal(a.Body.Bytes(), &done) != nil || done.Next != "/moderation/?queue=spam" {
		t.Fatalf("signing in: %d %s", a.Code, a.Body)
	}
	if a := c.get("/moderation/"); a.Code != http.StatusOK {
		t.Errorf("the desk: %d", a.Code)
	}
	if _, a := use(virtualwebauthn.RelyingParty{Name: "x", ID: "evil.example", Origin: "http://evil.example"}, key); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("for another origin: %d", a.Code)
	}
	if _, a := use(rp, virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("nobody's passkey: %d", a.Code)
	}
	yes := true
	_, err = h.svc.ChangePerson(t.Context(), "an@bao.example", moderation.PersonChange{Disabled: &yes})
	h.must(err)
	if _, a := use(rp, key); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("of somebody disabled: %d", a.Code)
	}
}
