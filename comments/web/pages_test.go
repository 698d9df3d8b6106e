package web

import (
	"net/http"
	"strings"
	"testing"

	"duyet/comments"
)

// A page that moved is found, written to and counted under every key it had; what was
// cached of either page is gone at once.
func TestAMovedPageIsOnePage(t *testing.T) {
	h := newHouse(t, "")
	const former = "https://news.example/pho-di-bo?id=7"
	h.publish(testPage, "An", "Một", "")
	h.publish(former, "Bình", "Hai", "")
	paths := []string{
		"/s/" + testSite + "/fragment?page=" + testPage, "/s/" + testSite + "/fragment?page=" + former,
		"/api/v1/sites/" + testSite + "/thread?page=" + former, "/s/" + testSite + "/feed.atom?page=" + former,
	}
	for _, path := range paths {
		if body := h.get(path).Body.String(); strings.Contains(body, "An<") && strings.Contains(body, "Bình<") {
			t.Fatalf("%s has both before", path)
		}
	}
	ticket, code := h.ticket(former) // in a form that is open meanwhile
	if _, err := h.svc.MovePage(t.Context(), testSite, former+"&utm_source=zalo", testPage, true, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if body := h.get(path).Body.String(); !strings.Contains(body, "Tiêu đề của An") || !strings.Contains(body, "Tiêu đề của Bình") {
			t.Errorf("%s lacks one: %s", path, body)
		}
	}
	counts := read[countsBody](h, "/api/v1/sites/"+testSite+"/counts?page="+former+"&page="+testPage)
	if counts.Counts[0].Count != 2 || counts.Counts[1].Count != 2 {
		t.Errorf("%+v", counts)
	}
	body := h.body()
	body["page"], body["ticket"], body["code"] = former, ticket, code
	if w := h.postJSON(commentsPath, body); w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"page":"`+testPage+`"`) {
		t.Errorf("posting by an old link: %d %s", w.Code, w.Body)
	}
	h.view(former)
	h.view(testPage)
	if got := read[audienceBody](h, audiencePath+"?page="+former); got.PageViews != 2 {
		t.Errorf("views: %+v", got)
	}
	for _, bad := range [][2]string{{"https://evil.example/", testPage}, {testPage, "https://evil.example/"}, {testPage, ""}} {
		if _, err := h.svc.MovePage(t.Context(), testSite, bad[0], bad[1], true, comments.ActorOperator); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
