package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/moderation"
)

// known is an identity provider that knows whoever comes with the code "good" as email.
type known struct{ email string }

func (known) Begin(context.Context) (string, moderation.Asking, error) {
	return "https://id.example/authorize?state=s1", moderation.Asking{State: "s1", Nonce: "n", Verifier: "v"}, nil
}

func (k known) Finish(_ context.Context, a moderation.Asking, code string) (string, error) {
	if code != "good" || a.Verifier != "v" {
		return "", moderation.ErrBadSignIn
	}
	return k.email, nil
}

func TestSignInByProvider(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	if a := h.browser().post("/moderation/login/provider", nil); a.Code != http.StatusNotFound {
		t.Errorf("without a provider: %d", a.Code)
	}
	h.svc.UseProvider(known{"AN@bao.example"})
	start := func() *browser {
		b := h.browser()
		a := b.post("/moderation/login/provider", url.Values{"next": {"/moderation/?queue=spam"}})
		if a.Code != http.StatusSeeOther || a.Header().Get("Location") != "https://id.example/authorize?state=s1" {
			t.Fatalf("%d to %s", a.Code, a.Header().Get("Location"))
		}
		return b
	}
	const answer = "/moderation/login/provider/answer?"
	b := start()
	if a := b.get(answer + "state=s1&code=good"); a.Code != http.StatusSeeOther || a.Header().Get("Location") != "/moderation/?queue=spam" {
		t.Fatalf("%d to %s", a.Code, a.Header().Get("Location"))
	}
	if a := b.get("/moderation/"); a.Code != http.StatusOK {
		t.Errorf("the desk: %d", a.Code)
	}
	h.svc.UseProvider(known{"stranger@bao.example"})
	a := start().get(answer + "state=s1&code=good")
	if err := a.says("Tài khoản này chưa phải là người duyệt"); err != nil || a.Code != http.StatusUnauthorized {
		t.Errorf("a stranger: %d, %v", a.Code, err)
	}
	if list, err := h.svc.Everybody(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("signing in has made somebody: %v, %v", list, err)
	}
}

// The answer is taken from the browser that asked, once.
func TestProviderAnswersOnce(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	h.svc.UseProvider(known{"an@bao.example"})
	h.quiet = true
	const answer = "/moderation/login/provider/answer?"
	b := h.browser()
	b.post("/moderation/login/provider", nil)
	asked := b.cookies["duyet_asked"]
	for name, query := range map[string]string{"another's state": "state=s2&code=good", "no code": "state=s1&error=access_denied"} {
		c := h.browser()
		c.post("/moderation/login/provider", nil)
		if a := c.get(answer + query); a.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if a := h.browser().get(answer + "state=s1&code=good"); a.Code != http.StatusUnauthorized {
		t.Errorf("a browser that never asked: %d", a.Code)
	}
	if a := b.get(answer + "state=s1&code=good"); a.Code != http.StatusSeeOther {
		t.Fatalf("who asked: %d", a.Code)
	}
	again := h.browser()
	again.cookies["duyet_asked"] = asked
	if a := again.get(answer + "state=s1&code=good"); a.Code != http.StatusUnauthorized {
		t.Errorf("the answer twice: %d", a.Code)
	}
}

func TestProviderOnThePage(t *testing.T) {
	h := newHouse(t, "", "bao")
	withPassword(h)
	h.provider = "https://id.example"
	h.rebuild()
	a := h.browser().get("/moderation/login")
	if err := a.says("Đăng nhập bằng Tòa soạn"); err == nil {
		t.Error("a button without a provider")
	}
	h.svc.UseProvider(known{})
	a = h.browser().get("/moderation/login")
	if err := a.says("Đăng nhập bằng Tòa soạn"); err != nil {
		t.Error(err)
	}
	if csp := a.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://id.example;") {
		t.Errorf("the form can't lead there: %s", csp)
	}
}
