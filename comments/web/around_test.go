package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFragmentsAroundTheArticle(t *testing.T) {
	h := newHouse(t, "https://comments.example")
	h.publish(testPage, "An", "Một", "")
	h.publish(testPage, "Ba", "Ba", "")
	last := h.publish("https://news.example/khac", "Bình <b>", "Hai", "")
	for range 1234 {
		h.readers.View(t.Context(), must(h.svc.Site(t.Context(), testSite))(t), h.door.visit(request(http.MethodPost, "/", "", "User-Agent", phone), testPage))
	}
	for path, want := range map[string]string{
		"/latest":                           "Bình luận mới nhất Tiêu đề của Bình <b> Bình <b>, 17:42, 21/11/2026, trong Phố đi bộ ven sông Tiêu đề của Ba",
		"/latest?lang=en":                   "Latest comments Tiêu đề của Bình <b> Bình <b>, 21 November 2026, 17:42, on Phố đi bộ ven sông",
		"/discussed":                        "Được bình luận nhiều Phố đi bộ ven sông 2 bình luận Phố đi bộ ven sông 1 bình luận",
		"/discussed?days=1&limit=1&lang=en": "Most discussed Phố đi bộ ven sông 2 comments",
		"/visitors":                         "Lượt truy cập Đang online1 Hôm nay1 Trong tuần1 Tất cả1",
		"/visitors?lang=en":                 "Visitors Online now1 Today1 This week1 All time1",
		"/views?page=" + testPage:           "Lượt xem 1.234",
		"/views?lang=en":                    "Views 1,234",
		"/count?page=" + testPage:           "2 bình luận",
		"/count?page=none&lang=en":          "0 comments",
	} {
		w := h.get("/s/" + testSite + path)
		if w.Code != http.StatusOK || len(w.Result().Cookies()) > 0 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%s: %d %v", path, w.Code, w.Header())
		}
		doc := parse(t, w.Body)
		doc.sound()
		if got := strings.Join(strings.Fields(words(doc.one("body"))), " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, not %q", path, got, want)
		}
	}
	first := parse(t, h.get("/s/"+testSite+"/latest?limit=1&heading=off").Body)
	if href := attr(first.one("a"), "href"); href != "https://news.example/khac#"+anchor(last.ID) || len(first.all("li")) != 1 || first.has("h2") {
		t.Errorf("it goes to %s", href)
	}
	got := read[discussedBody](h, "/api/v1/sites/"+testSite+"/discussed?days=30")
	if len(got.Pages) != 2 || got.Pages[0].Page.Key != testPage || got.Pages[0].Comments != 2 || got.Pages[0].Page.Count != 2 {
		t.Errorf("%+v", got)
	}
	h.pass(24 * time.Hour) // until midnight comes, nothing is asked anew
	if got := read[discussedBody](h, "/api/v1/sites/"+testSite+"/discussed?days=1"); len(got.Pages) != 0 {
		t.Errorf("of today: %+v", got)
	}
	if empty := parse(t, newHouse(t, "").get("/s/"+testSite+"/latest").Body); words(empty.one("p")) != "Chưa có bình luận" {
		t.Error("nothing is said of nothing")
	}
	for _, path := range []string{"/latest?limit=0", "/latest?heading=x", "/count", "/count?page=https://evil.example/", "/views?page=", "/visitors?heading=1", "/discussed?days=31", "/discussed?limit=x"} {
		if code := h.get("/s/" + testSite + path).Code; code != http.StatusBadRequest {
			t.Errorf("%s: %d", path, code)
		}
	}
	for _, path := range []string{"/latest", "/visitors", "/views", "/count?page=x"} {
		if code := h.get("/s/none" + path).Code; code != http.StatusNotFound {
			t.Errorf("an unknown site's %s: %d", path, code)
		}
	}
}

// What a decision changes is there at once; what was there answers 304 meanwhile.
func TestFragmentsFollowDecisions(t *testing.T) {
	h := newHouse(t, "")
	c := h.publish(testPage, "An", "Một", "")
	for _, path := range []string{"/latest", "/count?page=" + testPage} {
		w := h.get("/s/" + testSite + path)
		if again := h.get("/s/"+testSite+path, "If-None-Match", w.Header().Get("Etag")); again.Code != http.StatusNotModified {
			t.Errorf("%s: %d", path, again.Code)
		}
	}
	h.decide(c.ID, "spam")
	if got := words(parse(t, h.get("/s/"+testSite+"/latest").Body).one("p")); got != "Chưa có bình luận" {
		t.Errorf("%q", got)
	}
	if got := words(parse(t, h.get("/s/"+testSite+"/count?page="+testPage).Body).one("span")); got != "0 bình luận" {
		t.Errorf("%q", got)
	}
}
