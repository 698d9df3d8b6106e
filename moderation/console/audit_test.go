package console_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
)

// lived is a house whose journal of "bao" has four comments and three decisions, one with a
// note that a spreadsheet would take for a formula.
func lived(t *testing.T) (*house, moderation.Moderator) {
	h := newHouse(t, "", "bao", "khac")
	an := h.person("an@bao.example", moderation.Admin)
	var list []moderation.Decision
	for i := range 4 {
		c := h.comment("bao", nil)
		if i < 3 {
			list = append(list, moderation.Decision{ID: string(c.ID), Action: moderation.Reject, Reason: "insult", Note: "=1+1"})
		}
	}
	_, err := h.svc.Decide(t.Context(), an, list)
	h.must(err)
	return h, an
}

func TestAuditFilters(t *testing.T) {
	h, an := lived(t)
	b := h.signedIn("an@bao.example")
	entries := func(q url.Values) int {
		q.Set("site", "bao")
		a := b.get("/moderation/audit?" + q.Encode())
		if a.Code != http.StatusOK {
			t.Fatalf("%v: %d", q, a.Code)
		}
		return strings.Count(a.Body.String(), `class="hash"`)
	}
	today := h.now.In(comments.DefaultSettings().Location()).Format(time.DateOnly)
	for _, try := range []struct {
		q    url.Values
		want int
	}{
		{url.Values{}, 8}, {url.Values{"group": {"decisions"}}, 3}, {url.Values{"group": {"readers"}}, 4}, {url.Values{"group": {"settings"}}, 1},
		{url.Values{"actor": {an.ID}}, 3}, {url.Values{"actor": {"reader"}, "group": {"decisions"}}, 0},
		{url.Values{"to": {"2000-01-01"}}, 0}, {url.Values{"from": {"2099-01-01"}}, 0},
		{url.Values{"from": {"2000-01-01"}, "to": {"2099-01-01"}}, 8}, {url.Values{"from": {today}, "group": {"decisions"}}, 3},
	} {
		if got := entries(try.q); got != try.want {
			t.Errorf("%v: %d entries, not %d", try.q, got, try.want)
		}
	}
	for _, bad := range []string{"group=x", "from=x", "to=2026-13-01"} {
		if a := b.get("/moderation/audit?site=bao&" + bad); a.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, a.Code)
		}
	}
}

func TestAuditExports(t *testing.T) {
	h, _ := lived(t)
	b := h.signedIn("an@bao.example")
	a := b.get("/moderation/audit.csv?site=bao&group=decisions")
	rows, err := csv.NewReader(a.Body).ReadAll()
	h.must(err)
	if len(rows) != 4 || rows[0][0] != "seq" || rows[1][3] != "an@bao.example" || rows[1][10] != "insult" || rows[1][11] != "'=1+1" {
		t.Errorf("rows: %v", rows)
	}
	if kind := a.Header().Get("Content-Type"); kind != "text/csv; charset=utf-8" || !strings.Contains(a.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%s, %s", kind, a.Header().Get("Content-Disposition"))
	}
	a = b.get("/moderation/audit.jsonl?site=bao")
	var seqs []uint64
	for dec := json.NewDecoder(a.Body); dec.More(); {
		var line struct {
			Seq   uint64 `json:"seq"`
			Chain string `json:"chain"`
		}
		h.must(dec.Decode(&line))
		if line.Chain == "" {
			t.Errorf("entry %d has no chain", line.Seq)
		}
		seqs = append(seqs, line.Seq)
	}
	if fmt.Sprint(seqs) != "[1 2 3 4 5 6 7 8]" {
		t.Errorf("entries %v", seqs)
	}
	h.person("other@khac.example", moderation.Viewer, "khac")
	if a := h.signedIn("other@khac.example").get("/moderation/audit.csv?site=bao"); a.Code != http.StatusForbidden {
		t.Errorf("another site's journal: %d", a.Code)
	}
}

func TestAuditVerifies(t *testing.T) {
	h, _ := lived(t)
	b := h.signedIn("an@bao.example")
	a := b.post("/moderation/audit/verify", url.Values{"site": {"bao"}})
	if err := a.says("Chuỗi nguyên vẹn đến mục 8"); err != nil {
		t.Error(err)
	}
	store, err := modstore.New(t.Context(), h.db)
	h.must(err)
	clock := func() time.Time { return h.now }
	h.svc = moderation.NewService(moderation.Config{Store: store, Comments: h.sites, Sites: h.db, Pages: h.db, Journal: tampered{h.db}, Now: clock})
	h.build(store, nil, clock)
	a = b.post("/moderation/audit/verify", url.Values{"site": {"bao"}})
	if err := a.says("Chuỗi không khớp"); err != nil || a.role("alert") == "" {
		t.Error(err)
	}
}

// tampered is a journal in which somebody has changed an entry.
type tampered struct{ moderation.Journal }

func (tampered) VerifyChain(context.Context, string) (comments.Head, error) {
	return comments.Head{}, fmt.Errorf("entry 5: %w", comments.ErrDamaged)
}

// A page looks at a bounded stretch of a long journal, and says where to go on.
func TestAuditIsBounded(t *testing.T) {
	h := newHouse(t, "", "bao")
	an := h.person("an@bao.example", moderation.Admin)
	first := h.comment("bao", nil)
	_, err := h.svc.Decide(t.Context(), an, []moderation.Decision{{ID: string(first.ID), Action: moderation.Approve}})
	h.must(err)
	for range 700 {
		h.comment("bao", nil)
	}
	f := moderation.EventFilter{Group: moderation.DecisionEvents}
	page, err := h.svc.Audit(t.Context(), an, "bao", f, 0, 10)
	h.must(err)
	if len(page.Events) != 1 || page.Events[0].Event.Comment != first.ID || page.Next != 0 {
		t.Errorf("%d events, next %d", len(page.Events), page.Next)
	}
	var seqs []uint64
	for before := uint64(0); ; {
		page, err := h.svc.Audit(t.Context(), an, "bao", moderation.EventFilter{Group: moderation.ReaderEvents}, before, 200)
		h.must(err)
		for _, e := range page.Events {
			seqs = append(seqs, e.Seq)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if len(seqs) != 701 {
		t.Errorf("%d submissions over all pages", len(seqs))
	}
}
