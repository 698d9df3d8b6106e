package moderation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"duyet/comments"
	"duyet/moderation"
)

// withTOTP is a person with a password and a second step.
func (h *house) withTOTP(email string) (m moderation.Moderator, secret string, recovery []string) {
	h.Helper()
	m, err := h.AddPerson(h.Context(), email, moderation.Editor, nil, password)
	h.must(err)
	o, err := h.OfferTOTP(m)
	h.must(err)
	recovery, err = h.TakeTOTP(h.Context(), m, o.Text, h.code(o.Secret), password, from(someAddr))
	h.must(err)
	h.now = h.now.Add(time.Minute) // past the step that the offer used
	return m, o.Secret, recovery
}

func (h *house) code(secret string) string {
	h.Helper()
	code, err := totp.GenerateCode(secret, h.now)
	h.must(err)
	return code
}

func TestSecondStep(t *testing.T) {
	h := newHouse(t)
	m, secret, recovery := h.withTOTP("an@bao.example")
	entry, err := h.SignIn(t.Context(), "an@bao.example", password, from(someAddr))
	h.must(err)
	if !entry.Second {
		t.Fatal("a password alone is enough")
	}
	code := h.code(secret)
	for _, wrong := range []string{"", "000000", "nope", code + "0", recovery[0][:13]} {
		if _, err := h.Second(t.Context(), m.ID, wrong, from(someAddr)); !errors.Is(err, moderation.ErrBadSignIn) {
			t.Errorf("code %q: %v", wrong, err)
		}
	}
	if in, err := h.Second(t.Context(), m.ID, code[:3]+" "+code[3:], from(someAddr)); err != nil || in.ID != m.ID {
		t.Fatalf("the right code: %v", err)
	}
	if _, err := h.Second(t.Context(), m.ID, code, from(someAddr)); !errors.Is(err, moderation.ErrBadSignIn) {
		t.Errorf("the same code again: %v", err)
	}
	_, err = h.Second(t.Context(), m.ID, recovery[3], from(someAddr))
	h.must(err)
	if _, err := h.Second(t.Context(), m.ID, recovery[3], from(someAddr)); !errors.Is(err, moderation.ErrBadSignIn) {
		t.Errorf("a recovery code again: %v", err)
	}
	a, err := h.Account(t.Context(), m)
	h.must(err)
	if len(a.Recovery) != len(recovery)-1 {
		t.Errorf("%d recovery codes left", len(a.Recovery))
	}
	link, err := h.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	if entry, err := h.UseLink(t.Context(), link); err != nil || !entry.Second {
		t.Errorf("a link goes around the second step: %+v, %v", entry, err)
	}
	if err := h.RemoveTOTP(t.Context(), m, "not the password", from(someAddr)); !errors.Is(err, comments.ErrInvalid) {
		t.Errorf("without the password: %v", err)
	}
	h.must(h.RemoveTOTP(t.Context(), m, password, from(someAddr)))
	if entry, err := h.SignIn(t.Context(), "an@bao.example", password, from(someAddr)); err != nil || entry.Second {
		t.Errorf("the second step is still asked for: %v", err)
	}
}

func TestSecondStepIsThrottled(t *testing.T) {
	h := newHouse(t)
	m, secret, _ := h.withTOTP("an@bao.example")
	var limited *comments.LimitedError
	for i := range 30 {
		if _, err := h.Second(t.Context(), m.ID, "000000", from(someAddr)); errors.As(err, &limited) {
			if i < 5 {
				t.Fatalf("after %d", i)
			}
			break
		}
	}
	if _, err := h.Second(t.Context(), m.ID, h.code(secret), from(someAddr)); !errors.As(err, &limited) {
		t.Errorf("guesses are not slowed down: %v", err)
	}
}

func TestOffers(t *testing.T) {
	h := newHouse(t)
	an, binh := h.person("an@bao.example", moderation.Editor), h.person("binh@bao.example", moderation.Editor)
	o, err := h.OfferTOTP(an)
	h.must(err)
	if img, err := h.OfferImage(an, o.Text, 200); err != nil || len(img) == 0 {
		t.Errorf("image: %v", err)
	}
	code := h.code(o.Secret)
	for name, try := range map[string]struct {
		who        moderation.Moderator
		text, code string
	}{
		"another's": {binh, o.Text, code}, "forged": {an, "AAAA", code}, "cut": {an, o.Text[:30], code}, "wrong code": {an, o.Text, "000000"},
	} {
		if _, err := h.TakeTOTP(t.Context(), try.who, try.text, try.code, "", from(someAddr)); !errors.Is(err, comments.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.now = h.now.Add(20 * time.Minute)
	if _, err := h.TakeTOTP(t.Context(), an, o.Text, h.code(o.Secret), "", from(someAddr)); !errors.Is(err, comments.ErrInvalid) {
		t.Errorf("an old offer: %v", err)
	}
}

// A stranger's failures lock nobody out of a browser that they use.
func TestKnownDevice(t *testing.T) {
	h := newHouse(t)
	_, err := h.AddPerson(t.Context(), "an@bao.example", moderation.Editor, nil, password)
	h.must(err)
	device := h.KnownDevice("an@bao.example")
	other := h.KnownDevice("binh@bao.example")
	var limited *comments.LimitedError
	for range 12 {
		_, err = h.SignIn(t.Context(), "an@bao.example", "a wrong guess", from(someAddr))
	}
	if !errors.As(err, &limited) {
		t.Fatalf("guesses are not slowed down: %v", err)
	}
	elsewhere := from(someAddr.Next())
	for name, d := range map[string]string{"unknown": "", "another's": other, "forged": device[:20] + "AAAA" + device[24:]} {
		elsewhere.Device = d
		if _, err := h.SignIn(t.Context(), "an@bao.example", password, elsewhere); !errors.As(err, &limited) {
			t.Errorf("an %s browser: %v", name, err)
		}
	}
	elsewhere.Device = device
	_, err = h.SignIn(t.Context(), "an@bao.example", password, elsewhere)
	h.must(err)
	for range 12 {
		_, err = h.SignIn(t.Context(), "an@bao.example", "a wrong guess", elsewhere)
	}
	if !errors.As(err, &limited) {
		t.Errorf("guesses in a known browser are not slowed down: %v", err)
	}
}

func TestOwnTokens(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	for name, wish := range map[string]moderation.TokenWish{
		"no name": {}, "long name": {Name: string(make([]byte, 200))}, "too long": {Name: "x", For: 100 * 365 * 24 * time.Hour},
		"a scope above": {Name: "x", Scopes: []moderation.Permission{moderation.ManagePeople}},
	} {
		if _, _, err := h.NewOwnToken(t.Context(), an, wish); !errors.Is(err, comments.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret, token, err := h.NewOwnToken(t.Context(), an, moderation.TokenWish{Name: "máy quét", Scopes: []moderation.Permission{moderation.See}, For: time.Hour})
	h.must(err)
	m, err := h.Bearer(t.Context(), secret)
	h.must(err)
	if !m.May(moderation.See, "bao") || m.May(moderation.Decide, "bao") {
		t.Error("a token is not narrowed to its scopes")
	}
	if _, err := h.Decide(t.Context(), m, nil); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("decisions with a token to look: %v", err)
	}
	binh := h.person("binh@bao.example", moderation.Owner)
	if err := h.RemoveToken(t.Context(), binh, token.ID()); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("another's token: %v", err)
	}
	h.now = h.now.Add(time.Hour)
	if _, err := h.Bearer(t.Context(), secret); !errors.Is(err, comments.ErrUnauthenticated) {
		t.Errorf("an expired token: %v", err)
	}
	h.must(h.RemoveToken(t.Context(), an, token.ID()))
	a, err := h.Account(t.Context(), an)
	h.must(err)
	if len(a.Tokens) != 0 {
		t.Errorf("tokens left: %v", a.Tokens)
	}
}
