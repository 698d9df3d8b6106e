package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

func TestInvitation(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.person("owner@bao.example", moderation.Owner)
	b := h.signedIn("owner@bao.example")
	wrong := b.post("/moderation/people", url.Values{"email": {"nope"}, "role": {"moderator"}})
	if wrong.Code != http.StatusUnprocessableEntity || wrong.value("email") != "nope" {
		t.Errorf("without an address: %d, %q kept", wrong.Code, wrong.value("email"))
	}
	a := b.post("/moderation/people", url.Values{"email": {"lan@bao.example"}, "role": {"moderator"}, "site": {"bao"}})
	link := a.class("secret")
	if a.Code != http.StatusOK || !strings.HasPrefix(link, "http://example.com/moderation/link?token=") {
		t.Fatalf("%d, link %q: %s", a.Code, link, a.Body)
	}
	u, err := url.Parse(link)
	h.must(err)
	lan := h.browser()
	if a := lan.follow(lan.post("/moderation/link", url.Values{"token": {u.Query().Get("token")}})); a.Code != http.StatusOK {
		t.Errorf("the invited person: %d", a.Code)
	}
	if a := lan.get("/moderation/people"); a.Code != http.StatusForbidden {
		t.Errorf("people shown to a moderator: %d", a.Code)
	}
	page := b.get("/moderation/people")
	if err := page.says("lan@bao.example", "Người duyệt", "Báo bao"); err != nil {
		t.Error(err)
	}
	m, err := personOf(h, "lan@bao.example")
	h.must(err)
	person := "/moderation/people/" + m.ID
	version := b.get(person).value("version")
	b.follow(b.post(person, url.Values{"do": {"appoint"}, "version": {version}, "role": {"viewer"}, "site": {"bao", "khac"}}))
	if a := b.post(person, url.Values{"do": {"appoint"}, "version": {version}, "role": {"owner"}, "scope": {"all"}}); a.Code != http.StatusConflict {
		t.Errorf("over another's change: %d", a.Code)
	}
	b.follow(b.post(person, url.Values{"do": {"disable"}}))
	if a := lan.get("/moderation/"); a.Code != http.StatusSeeOther {
		t.Errorf("somebody disabled is still in: %d", a.Code)
	}
	b.follow(b.post(person, url.Values{"do": {"remove"}}))
	if a := b.get(person); a.Code != http.StatusNotFound {
		t.Errorf("somebody removed: %d", a.Code)
	}
	for e := range eventsOf(t, h) {
		if e.Kind == moderation.KindModeratorAdded && e.Actor == comments.ActorOperator && e.Subject == m.ID {
			t.Error("the invitation stands in the journal as the operator's")
		}
	}
}

func personOf(h *house, email string) (moderation.Moderator, error) {
	all, err := h.svc.Everybody(h.Context())
	for _, m := range all {
		if m.Email == email {
			return m, err
		}
	}
	return moderation.Moderator{}, comments.ErrNotFound
}

func eventsOf(t *testing.T, h *house) func(func(comments.Transition) bool) {
	list, err := h.db.Events(t.Context(), comments.Installation, 0, 1000)
	h.must(err)
	return func(yield func(comments.Transition) bool) {
		for _, e := range list {
			if !yield(e) {
				return
			}
		}
	}
}

// Nobody reaches beyond their role through a person's page.
func TestPeopleByRole(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	h.people()
	owner := h.person("owner@bao.example", moderation.Owner)
	other, err := personOf(h, "other@bao.example")
	h.must(err)
	for _, who := range []string{"viewer", "editor", "other"} {
		b := h.signedIn(who + "@bao.example")
		for _, path := range []string{"/moderation/people", "/moderation/people/" + owner.ID} {
			if a := b.get(path); a.Code != http.StatusForbidden {
				t.Errorf("%s gets %s: %d", who, path, a.Code)
			}
		}
		for _, do := range []string{"appoint", "disable", "enable", "sign_out", "keys", "link", "remove"} {
			if a := b.post("/moderation/people/"+other.ID, url.Values{"do": {do}, "version": {"1"}, "role": {"owner"}, "site": {"bao"}}); a.Code != http.StatusForbidden {
				t.Errorf("%s: %s: %d", who, do, a.Code)
			}
		}
		if a := b.post("/moderation/people", url.Values{"email": {"x@bao.example"}, "role": {"owner"}, "site": {"bao"}}); a.Code != http.StatusForbidden {
			t.Errorf("%s invites an owner: %d", who, a.Code)
		}
	}
	admin := h.signedIn("admin@bao.example")
	for _, do := range []string{"appoint", "disable", "sign_out", "keys", "link", "remove"} {
		if a := admin.post("/moderation/people/"+owner.ID, url.Values{"do": {do}, "version": {"1"}, "role": {"viewer"}, "site": {"bao"}}); a.Code != http.StatusForbidden {
			t.Errorf("an admin: %s an owner: %d", do, a.Code)
		}
	}
	if a := admin.post("/moderation/people", url.Values{"email": {"x@bao.example"}, "role": {"owner"}, "scope": {"all"}}); a.Code != http.StatusForbidden {
		t.Errorf("an admin makes an owner: %d", a.Code)
	}
}
