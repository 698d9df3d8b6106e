package moderation_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/limit"
	"duyet/moderation"
)

const password = "ngựa đúng pin kẹp giấy"

func TestSignIn(t *testing.T) {
	h := newHouse(t)
	_, err := h.AddPerson(t.Context(), "An@Bao.Example", moderation.Editor, nil, password)
	h.must(err)
	h.person("link@bao.example", moderation.Editor)
	_, err = h.AddPerson(t.Context(), "gone@bao.example", moderation.Editor, nil, password)
	h.must(err)
	yes := true
	_, err = h.ChangePerson(t.Context(), "gone@bao.example", moderation.PersonChange{Disabled: &yes})
	h.must(err)

	if m, err := h.SignIn(t.Context(), " AN@bao.example ", password, from(someAddr)); err != nil || m.Email != "an@bao.example" {
		t.Errorf("the right password: %+v, %v", m, err)
	}
	for name, try := range map[string][2]string{
		"wrong password": {"an@bao.example", password + "x"}, "no password": {"an@bao.example", ""},
		"unknown": {"ai@bao.example", password}, "no address": {"not an address", password},
		"by link alone": {"link@bao.example", ""}, "disabled": {"gone@bao.example", password},
		"huge": {"an@bao.example", strings.Repeat("x", moderation.PasswordMost+1)},
	} {
		m, err := h.SignIn(t.Context(), try[0], try[1], from(someAddr))
		if !errors.Is(err, moderation.ErrBadSignIn) || !errors.Is(err, comments.ErrUnauthenticated) || m.ID != "" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	head, err := h.db.Head(t.Context(), comments.Installation)
	h.must(err)
	// three added, one disabled, one in, seven failed: an unknown address leaves the same trace
	events, err := h.db.Events(t.Context(), comments.Installation, head.Seq-8, 10)
	h.must(err)
	for i, e := range events {
		want := moderation.KindSignInFailed
		if i == 0 {
			want = moderation.KindSignedIn
		}
		if e.Kind != want {
			t.Errorf("event %d is %s", i, e.Kind)
		}
	}
}

// Guesses are slowed by account and by network, those sent all together included.
func TestSignInSlowsDown(t *testing.T) {
	h := newHouse(t)
	_, err := h.AddPerson(t.Context(), "an@bao.example", moderation.Editor, nil, password)
	h.must(err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong, limited := 0, 0
	for range 3 * limit.AccountFailures {
		wg.Go(func() {
			_, err := h.SignIn(t.Context(), "an@bao.example", "a wrong guess", from(someAddr))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, comments.ErrLimited):
				limited++
			case errors.Is(err, moderation.ErrBadSignIn):
				wrong++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Two compare at once, so one beyond the limit may have begun.
	if wrong < limit.AccountFailures || wrong > limit.AccountFailures+1 || wrong+limited != 3*limit.AccountFailures {
		t.Errorf("%d guesses were looked at, %d slowed", wrong, limited)
	}
	var wait *comments.LimitedError
	if _, err := h.SignIn(t.Context(), "an@bao.example", password, from(someAddr)); !errors.As(err, &wait) || wait.RetryAfter <= 0 {
		t.Fatalf("the right password while slowed: %v", err)
	}
	h.now = h.now.Add(limit.FailuresPer)
	if _, err := h.SignIn(t.Context(), "an@bao.example", password, from(someAddr)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestLinksWorkOnce(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	secret, err := h.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	for range 2 { // looking uses nothing up
		if m, until, err := h.LinkStands(t.Context(), secret); err != nil || m.ID != an.ID || !until.Equal(h.now.Add(moderation.LinkFor)) {
			t.Fatalf("looking: %+v, %s, %v", m, until, err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 5 {
		wg.Go(func() {
			m, err := h.UseLink(t.Context(), secret)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && m.ID == an.ID {
				in++
			} else if !errors.Is(err, moderation.ErrLinkSpent) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in != 1 {
		t.Errorf("a link signed in %d times", in)
	}
	late, err := h.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	ofGone, err := h.NewLink(t.Context(), "an@bao.example")
	h.must(err)
	yes := true
	_, err = h.ChangePerson(t.Context(), "an@bao.example", moderation.PersonChange{Disabled: &yes})
	h.must(err)
	if _, err := h.NewLink(t.Context(), "an@bao.example"); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("a link for a disabled person: %v", err)
	}
	if _, err := h.NewToken(t.Context(), "an@bao.example", comments.ActorOperator); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("a token for a disabled person: %v", err)
	}
	if _, err := h.UseLink(t.Context(), ofGone); !errors.Is(err, moderation.ErrLinkSpent) {
		t.Errorf("a disabled person's link: %v", err)
	}
	h.now = h.now.Add(moderation.LinkFor)
	for _, s := range []string{late, secret, "", "nope"} {
		if _, _, err := h.LinkStands(t.Context(), s); !errors.Is(err, moderation.ErrLinkSpent) || !errors.Is(err, comments.ErrGone) {
			t.Errorf("%q stands: %v", s, err)
		}
		if _, err := h.UseLink(t.Context(), s); !errors.Is(err, moderation.ErrLinkSpent) {
			t.Errorf("%q signs in: %v", s, err)
		}
	}
}

func TestTokensAndSessionsEnd(t *testing.T) {
	h := newHouse(t)
	an := h.person("an@bao.example", moderation.Editor)
	token, err := h.NewToken(t.Context(), "an@bao.example", comments.ActorOperator)
	h.must(err)
	if m, err := h.Bearer(t.Context(), token); err != nil || m.ID != an.ID {
		t.Fatalf("token: %+v, %v", m, err)
	}
	for _, s := range []string{"", "nope", "duyet_", token + "x", strings.TrimPrefix(token, "duyet_")} {
		if _, err := h.Bearer(t.Context(), s); !errors.Is(err, comments.ErrUnauthenticated) {
			t.Errorf("%q: %v", s, err)
		}
	}
	began := h.now
	if m, err := h.Resume(t.Context(), an.ID, began); err != nil || m.ID != an.ID {
		t.Fatalf("session: %+v, %v", m, err)
	}
	h.now = h.now.Add(time.Minute)
	secret := password
	_, err = h.ChangePerson(t.Context(), "an@bao.example", moderation.PersonChange{Password: &secret})
	h.must(err)
	if _, err := h.Bearer(t.Context(), token); !errors.Is(err, comments.ErrUnauthenticated) {
		t.Errorf("a token outlived a new password: %v", err)
	}
	if _, err := h.Resume(t.Context(), an.ID, began); !errors.Is(err, comments.ErrUnauthenticated) {
		t.Errorf("a session outlived a new password: %v", err)
	}
	if _, err := h.Resume(t.Context(), an.ID, h.now); err != nil {
		t.Errorf("a session begun since: %v", err)
	}
	h.must(h.RemovePerson(t.Context(), "an@bao.example"))
	if _, err := h.Resume(t.Context(), an.ID, h.now); !errors.Is(err, comments.ErrUnauthenticated) {
		t.Errorf("a session outlived its person: %v", err)
	}
}

func TestPeopleRefused(t *testing.T) {
	h := newHouse(t)
	h.person("an@bao.example", moderation.Editor)
	for name, try := range map[string]struct {
		email, password string
		role            moderation.Role
		sites           []string
		want            error
	}{
		"taken":   {"AN@bao.example", "", moderation.Editor, nil, comments.ErrExists},
		"address": {"an", "", moderation.Editor, nil, comments.ErrInvalid},
		"role":    {"b@bao.example", "", "king", nil, comments.ErrInvalid},
		"site":    {"b@bao.example", "", moderation.Editor, []string{"khongco"}, comments.ErrInvalid},
		"short":   {"b@bao.example", "ngắn", moderation.Editor, nil, comments.ErrInvalid},
		"long":    {"b@bao.example", strings.Repeat("x", 2000), moderation.Editor, nil, comments.ErrInvalid},
	} {
		if _, err := h.AddPerson(t.Context(), try.email, try.role, try.sites, try.password); !errors.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
