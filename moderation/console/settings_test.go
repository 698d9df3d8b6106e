package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/moderation"
)

func TestSettingsAreSavedAtTheirVersion(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.person("chu@bao.example", moderation.Admin, "bao")
	b := h.signedIn("chu@bao.example")
	form := url.Values{"site": {"bao"}, "version": {"1"}, "do": {"save"}, "newsroom": {"Tòa soạn"}, "edit_window": {"30"}, "staff_names": {"Ban biên tập\nTòa soạn"}}
	if a := b.post("/moderation/settings", form); a.Code != http.StatusSeeOther {
		t.Fatalf("saved: %d %s", a.Code, a.Body)
	}
	site, err := h.sites.Site(t.Context(), "bao")
	h.must(err)
	if site.Voice() != "Tòa soạn" || site.Settings.Get("edit_window") != "30m0s" || len(site.Settings.StaffNames) != 2 {
		t.Fatalf("settings: %+v", site.Settings)
	}
	form.Set("newsroom", "Khác")
	if a := b.post("/moderation/settings", form); a.Code != http.StatusConflict || !strings.Contains(a.Body.String(), `value="Khác"`) {
		t.Fatalf("an old version: %d", a.Code)
	}
	form.Set("version", "2")
	form.Set("name_max", "none")
	if a := b.post("/moderation/settings", form); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.Body.String(), `id="e-name_max"`) {
		t.Fatalf("no number: %d", a.Code)
	}
	form.Set("do", "past")
	form.Set("trust_after", "3")
	if a := b.post("/moderation/settings", form); a.Code != http.StatusOK || a.says("30 ngày qua") != nil {
		t.Fatalf("the past: %d", a.Code)
	}
	reasons := url.Values{"site": {"bao"}, "version": {"0"}, "code": {"insult", "other", ""}, "remove": {"other"},
		"label-vi-0": {"Nặng lời"}, "text-vi-0": {"Mời bạn viết lại."}, "label-vi-2": {"Tin giả"}}
	if a := b.post("/moderation/settings/reasons", reasons); a.Code != http.StatusSeeOther {
		t.Fatalf("reasons: %d %s", a.Code, a.Body)
	}
	c := h.comment("bao", nil)
	h.svc.ReasonWords(t.Context(), "bao", "insult", "vi")
	if err := b.get("/moderation/comments/"+url.PathEscape(string(c.ID))).says("Nặng lời", "Mời bạn viết lại.", "Tin giả"); err != nil {
		t.Error(err)
	}
	gate := url.Values{"site": {"bao"}, "page": {c.Page}, "gate": {"closed"}, "back": {"/moderation/"}}
	if a := b.post("/moderation/settings/page", gate); a.Code != http.StatusSeeOther {
		t.Fatalf("gate: %d %s", a.Code, a.Body)
	}
	if p, err := h.db.Page(t.Context(), "bao", c.Page); err != nil || !p.Closed {
		t.Fatalf("page: %+v %v", p, err)
	}
}
