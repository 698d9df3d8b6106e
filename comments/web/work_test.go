package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/comments/work"
)

// TestWork: a challenge that is fetched and solved lets a comment in where the site takes
// work for a code, and the answer to a ticket says so.
func TestWork(t *testing.T) {
	h := newHouse(t, "", "proof=work")
	path := apiPrefix + testSite + "/work?page="
	w := h.get(path + url.QueryEscape(testPage))
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" ||
		w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	var c comments.Challenge
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if w := h.get(path + url.QueryEscape("https://elsewhere.example/a")); w.Code != http.StatusBadRequest {
		t.Errorf("for another's page: %d", w.Code)
	}
	proof, err := work.Solve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var ticket ticketBody
	w = h.postJSON(apiPrefix+testSite+"/captcha", map[string]string{"page": testPage})
	if err := json.Unmarshal(w.Body.Bytes(), &ticket); err != nil || !ticket.Wants.Work || ticket.Wants.Code {
		t.Errorf("a ticket says %s, %v", w.Body, err)
	}
	body := h.body()
	body["ticket"], body["code"], body["work"] = ticket.Ticket, nil, proof
	if w := h.postJSON(commentsPath, body); w.Code != http.StatusCreated {
		t.Errorf("with work: %d %s", w.Code, w.Body)
	}
	body = h.body()
	body["code"], body["work"] = "", proof
	if w := h.postJSON(commentsPath, body); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("with work that is spent: %d %s", w.Code, w.Body)
	}
}

// TestFormWithWork: the form says where work is to be had only where it is wanted, and
// after too many comments, when it lets the words in.
func TestFormWithWork(t *testing.T) {
	h := newHouse(t, "")
	page := func() string { return h.get(threadPath()).Body.String() }
	if strings.Contains(page(), "data-dy-work") {
		t.Error("in peace the form asks for work")
	}
	h.set("attack_mode=on")
	if got := page(); !strings.Contains(got, `data-dy-work="/api/v1/sites/`+testSite+`/work"`) || strings.Contains(got, "data-dy-instead") {
		t.Error("under attack the form does not ask for work and code")
	}
	h.set("attack_mode=off", "proof=work")
	if !strings.Contains(page(), "data-dy-instead") {
		t.Error("work does not stand for the code")
	}
	h.set("proof=code", "rate_limit=on")
	for range 5 {
		if w := h.postForm("/s/"+testSite+"/comments", h.form()); w.Code != http.StatusSeeOther {
			t.Fatalf("%d", w.Code)
		}
	}
	if w := h.postForm("/s/"+testSite+"/comments", h.form()); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "data-dy-work") {
		t.Errorf("over the limit: %d, or without work to do", w.Code)
	}
}
