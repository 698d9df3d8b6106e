package web

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
)

// listen opens a stream and returns what reads the next line that begins with "data" or
// "event".
func (h *house) listen(srv *httptest.Server, query string) (next func() string) {
	h.t.Helper()
	r := must(http.NewRequestWithContext(h.t.Context(), http.MethodGet, srv.URL+"/s/"+testSite+"/live?"+query, nil))(h.t)
	resp := must(http.DefaultClient.Do(r))(h.t)
	h.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		h.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	return func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event") || strings.HasPrefix(lines.Text(), "data") {
				return lines.Text()
			}
		}
		return "end"
	}
}

func TestReadersHearWhatIsNew(t *testing.T) {
	h := newHouse(t, "")
	srv := httptest.NewServer(h.handler)
	defer srv.Close()
	first := h.publish(testPage, "Hà", "một", "")
	page := "page=" + url.QueryEscape(testPage)
	w := h.get("/s/" + testSite + "/fragment?" + page)
	seq := w.Header().Get("Duyet-Seq")
	if seq == "" || w.Header().Get("Access-Control-Expose-Headers") != "ETag, Retry-After, Duyet-Seq" {
		t.Fatalf("where to listen from: %v", w.Header())
	}
	if !strings.Contains(w.Body.String(), ` data-dy-live="/s/`+testSite+`/live?`+page+`"`) {
		t.Error("the fragment doesn't say where to listen")
	}
	h.publish(testPage, "Bình", "hai", "") // between the fragment and the stream
	next := h.listen(srv, page+"&utm_source=x&after="+seq)
	if got := next() + " " + next(); got != `event: news data: {"added":1,"removed":0}` {
		t.Error(got)
	}
	h.decide(first.ID, comments.Trashed)
	if got := next() + " " + next(); got != `event: news data: {"added":0,"removed":1}` {
		t.Error(got)
	}
	h.listen(srv, page)
	if got := h.listen(srv, page)(); got != "event: poll" { // two of a network at most
		t.Errorf("without room: %s", got)
	}
	h.hub.Close()
	if got := next(); got != "end" {
		t.Errorf("after the end: %s", got)
	}
	if w := h.get("/s/" + testSite + "/live?page="); w.Code != http.StatusBadRequest {
		t.Errorf("no page: %d", w.Code)
	}
	if w := h.do(request(http.MethodHead, "/s/"+testSite+"/live?"+page, "")); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := h.get("/s/nobody/live?" + page); w.Code != http.StatusNotFound {
		t.Errorf("no site: %d", w.Code)
	}
}

// The tag of a fragment is the same for as long as its words are, whatever else happens on
// the site and however often it is rendered anew.
func TestAFragmentsTagIsItsWords(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hà", "một", "")
	path := "/s/" + testSite + "/fragment?page=" + url.QueryEscape(testPage)
	before := h.get(path)
	h.publish("https://news.example/other", "Bình", "hai", "")
	h.set("rate_limit=off") // renders everything anew
	after := h.get(path)
	if before.Header().Get("ETag") != after.Header().Get("ETag") || before.Header().Get("Duyet-Seq") == after.Header().Get("Duyet-Seq") {
		t.Errorf("%v and then %v", before.Header(), after.Header())
	}
}

func TestTheInertForm(t *testing.T) {
	h := newHouse(t, "https://comments.example/c", "name_max=40")
	h.publish(testPage, "Hà", "một", "")
	path := "/s/" + testSite + "/fragment?page=" + url.QueryEscape(testPage)
	body := h.get(path).Body.String()
	for _, want := range []string{"<template><section class=\"dy-form\"", `data-dy-max="40"`, `name="ticket" value=""`, "Mã hiện ra khi bạn bắt đầu viết."} {
		if strings.Count(body, want) != 1 {
			t.Errorf("%d times %s", strings.Count(body, want), want)
		}
	}
	if strings.Contains(body, "<img") || !strings.Contains(body, "</template>\n</section>") {
		t.Error("a ticket in what all readers are given, or no end")
	}
	h.publish(testPage, "Bình", "hai", "")
	more := h.get(path + "&limit=1").Body.String()
	_, after, _ := strings.Cut(more, "&amp;after=")
	after, _, _ = strings.Cut(after, "#")
	if body := h.get(path + "&limit=1&after=" + after).Body.String(); strings.Contains(body, "<template>") || !strings.Contains(body, "hai") {
		t.Error("what follows brings the form again")
	}
	h.set("close_after=1h")
	h.pass(2 * 3600e9)
	if strings.Contains(h.get(path).Body.String(), "<template>") {
		t.Error("a form on a closed page")
	}
}

func TestTheLoaderIsServed(t *testing.T) {
	h := newHouse(t, "https://comments.example/c")
	w := h.get("/embed.js")
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
