package console_test

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// decideSome makes a morning's work: two approved, one refused for an insult, one waiting.
func (h *house) decideSome(who moderation.Moderator) {
	h.Helper()
	for i, action := range []moderation.Action{moderation.Approve, moderation.Approve, moderation.Reject} {
		c := h.comment("bao", func(c *comments.Comment) {
			c.Signals = []comments.Signal{{Check: "links", Level: comments.LevelHold, Code: "several", Args: map[string]string{"count": "2"}}}
		})
		h.now = h.now.Add(time.Duration(i+1) * 10 * time.Minute)
		results, err := h.svc.Decide(h.Context(), who, []moderation.Decision{{ID: string(c.ID), Action: action, Reason: map[bool]string{true: "insult"}[action == moderation.Reject]}})
		h.must(errors.Join(err, results[0].Err))
	}
	h.comment("bao", nil)
	h.now = h.now.Add(50 * time.Minute)
	h.must(h.svc.CountSite(h.Context(), "bao"))
}

func TestStatsAtTheDesk(t *testing.T) {
	h := newHouse(t, "", "bao", "khac")
	chief := h.person("chu@bao.example", moderation.Owner)
	h.decideSome(chief)
	b := h.signedIn("chu@bao.example")
	page := b.get("/moderation/stats?site=bao")
	h.must(page.says("Tình hình", "Đang chờ 1", "Chờ lâu nhất 50 phút", "quá mức trang đặt ra", "Đã đến 4", "Đã quyết định 3", "Theo người duyệt", "chu@bao.example",
		"Theo lý do không duyệt", "Xúc phạm", "Theo dấu hiệu", "Theo trang", "Xem thành bảng", "Asia/Ho_Chi_Minh"))
	h.must(b.get("/moderation/?site=bao").says("Bình luận chờ lâu nhất đã 50 phút, quá mức trang đặt ra"))
	if a := b.get("/moderation/?site=khac"); strings.Contains(a.Body.String(), "quá mức") {
		t.Error("a site where nothing waits is warned of")
	}
	for _, period := range []string{"today", "week", "month", "year"} {
		for _, plot := range []string{"flow", "people", "reasons", "checks"} {
			a := b.get("/moderation/stats/" + plot + ".svg?site=bao&period=" + period)
			if a.Code != http.StatusOK || a.Header().Get("Content-Type") != "image/svg+xml" {
				t.Errorf("%s of %s: %d %s", plot, period, a.Code, a.Header().Get("Content-Type"))
				continue
			}
			if csp := a.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
				t.Errorf("a plot may load: %q", csp)
			}
			words := ""
			for d := xml.NewDecoder(strings.NewReader(a.Body.String())); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s of %s is no XML: %v", plot, period, err)
				}
				if text, ok := token.(xml.CharData); ok {
					words += string(text) + " "
				}
			}
			if want := map[string]string{"flow": "Đã đến", "people": "chu@bao.example", "reasons": "Xúc phạm", "checks": "liên kết"}[plot]; !strings.Contains(strings.ToLower(words), strings.ToLower(want)) {
				t.Errorf("%s of %s says %q, not %q", plot, period, words, want)
			}
		}
	}
	h.must(b.get("/moderation/stats?site=bao&lang=en").says("How we are doing", "Longest wait 50 minutes", "By reason of refusal"))
	for path, status := range map[string]int{
		"/moderation/stats?site=bao&period=eon":      http.StatusBadRequest,
		"/moderation/stats/nothing.svg?site=bao":     http.StatusNotFound,
		"/moderation/stats/took.svg?site=khac":       http.StatusNotFound,
		"/moderation/report?site=bao&by=day":         http.StatusBadRequest,
		"/moderation/report?site=bao&year=x":         http.StatusBadRequest,
		"/moderation/report?site=bao&year=1":         http.StatusBadRequest,
		"/moderation/report.csv?site=nirgends":       http.StatusForbidden,
		"/moderation/report.json?site=bao&year=2020": http.StatusOK,
	} {
		if a := b.get(path); a.Code != status {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
	// Another moderator sees the whole, and of people only themselves.
	h.person("an@bao.example", moderation.Editor, "bao")
	if a := h.signedIn("an@bao.example").get("/moderation/stats?site=bao&lang=vi"); strings.Contains(a.Body.String(), "chu@bao.example") {
		t.Error("an editor reads how many another has decided")
	}
}

func TestReport(t *testing.T) {
	h := newHouse(t, "", "bao")
	h.decideSome(h.person("chu@bao.example", moderation.Owner))
	b := h.signedIn("chu@bao.example")
	h.must(b.get("/moderation/report?site=bao&by=quarter&year=2026").says("Báo cáo minh bạch", "2026-Q4", "Đã nhận", "Duyệt", "Xúc phạm", "Khiếu nại"))
	h.must(b.get("/moderation/report?site=bao&by=year&lang=en").says("Transparency report", "Received", "Half are decided within", "Insult"))
	rows, err := csv.NewReader(b.get("/moderation/report.csv?site=bao&by=year").Body).ReadAll()
	h.must(err)
	got := map[string]string{}
	for _, row := range rows {
		if row[1] == "2026" {
			got[row[3]+" "+row[4]] = row[5]
		}
	}
	for what, want := range map[string]string{"received ": "4", "approved ": "2", "rejected ": "1", "refused insult": "1", "automatic ": "0"} {
		if got[what] != want {
			t.Errorf("%s is %q, not %q", what, got[what], want)
		}
	}
	token := h.token("chu@bao.example")
	report := h.json(h.call("GET", api+"/report?site=bao&by=year", token, ""), http.StatusOK)
	periods, _ := report["periods"].([]any)
	last, _ := periods[len(periods)-1].(map[string]any)
	if counts, _ := last["counts"].(map[string]any); len(periods) != 5 || counts["received"] != 4.0 || last["median_seconds"] == 0.0 {
		t.Errorf("report: %v", report)
	}
	stats := h.json(h.call("GET", api+"/stats?site=bao&period=today", token, ""), http.StatusOK)
	if stats["waiting"] != 1.0 || stats["decided"] != 3.0 || stats["oldest_at"] == nil {
		t.Errorf("stats: %v", stats)
	}
	for _, secret := range []string{"chu@bao.example", "Nguyễn Thị Hạnh"} {
		if strings.Contains(b.get("/moderation/report.json?site=bao").Body.String(), secret) {
			t.Errorf("the report names %s", secret)
		}
	}
}
