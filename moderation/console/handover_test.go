package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/moderation"
)

// TestHandOver: a note says who wrote it, and two who write at once both keep their words.
func TestHandOver(t *testing.T) {
	h, an := newDesk(t)
	minh := h.signedIn("minh@bao.example")
	write := func(b *browser, text, seen string) {
		t.Helper()
		if a := b.post("/moderation/handover", url.Values{"site": {"bao"}, "handover": {text}, "seen": {seen}}); a.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
	}
	write(an, "Bài xe buýt có đợt dán lại, xem kỹ nguồn.", "0")
	if err := minh.get("/moderation/?site=bao").says("Giao ca", "xem kỹ nguồn", "an@bao.example"); err != nil {
		t.Error(err)
	}
	write(minh, "Đã xem đến 14 giờ.", "0") // who had not seen An's
	if err := an.get("/moderation/?site=bao").says("xem kỹ nguồn", "Đã xem đến 14 giờ", "minh@bao.example"); err != nil {
		t.Error(err)
	}
	write(an, "Hết việc.", "2")
	if page := an.get("/moderation/?site=bao").Body.String(); strings.Contains(page, "xem kỹ nguồn") || !strings.Contains(page, "Hết việc.") {
		t.Error("the note was not replaced")
	}
	if a := an.post("/moderation/handover", url.Values{"site": {"bao"}, "handover": {strings.Repeat("ệ", 1000)}, "seen": {"3"}}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("too much is answered with %d", a.Code)
	}
	h.person("xem@bao.example", moderation.Viewer, "bao")
	for _, b := range []*browser{h.signedIn("xem@bao.example"), an} {
		site := "bao"
		if b == an {
			site = "khac"
		}
		if a := b.post("/moderation/handover", url.Values{"site": {site}, "handover": {"x"}, "seen": {"0"}}); a.Code != http.StatusForbidden {
			t.Errorf("%s: %d", site, a.Code)
		}
	}
}
