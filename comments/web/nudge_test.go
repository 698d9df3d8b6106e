package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"duyet/comments"
)

// TestNudge: words that are not sent yet are looked at, and nothing is stored or spent.
func TestNudge(t *testing.T) {
	h := newHouse(t, "")
	ask := func(content string, headers ...string) nudgesBody {
		t.Helper()
		w := h.postJSON(commentsPath+"/check", map[string]string{"page": testPage, "content": content}, headers...)
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var b nudgesBody
		if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	if b := ask("chào"); len(b.Nudges) != 0 || !b.Held {
		t.Errorf("%+v", b)
	}
	b := ask("please hold me", "Accept-Language", "en")
	if len(b.Nudges) != 1 || b.Nudges[0].Check != "links" || !strings.Contains(b.Nudges[0].Message, "moderator") {
		t.Errorf("%+v", b)
	}
	h.set("mode=post")
	if ask("chào").Held || !ask("hold me").Held {
		t.Error("on a site that moderates afterwards, only what is held waits")
	}
	if w := h.postJSON(commentsPath+"/check", map[string]string{"page": "https://elsewhere.example/"}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("for another's page: %d", w.Code)
	}
	if n := h.count(testPage); n != 0 {
		t.Errorf("%d comments are there", n)
	}
	h.set("rate_limit=on")
	for range 20 {
		ask("chào")
	}
	if w := h.postJSON(commentsPath+"/check", map[string]string{"page": testPage}); w.Code != http.StatusTooManyRequests {
		t.Errorf("the 21st in a minute: %d", w.Code)
	}
	// A plain post never answers a nudge.
	body := h.body()
	body["content"] = "hold me"
	if w := h.postJSON(commentsPath, body); w.Code != http.StatusCreated {
		t.Errorf("posted nonetheless: %d %s", w.Code, w.Body)
	}
}

// Nudge makes passing a comments.Nudger.
func (passing) Nudge(_ context.Context, c comments.Candidate) ([]comments.Signal, error) {
	if strings.Contains(c.Comment.Content, "hold me") {
		return []comments.Signal{{Check: "links", Level: comments.LevelHold, Code: "many_links", Places: []comments.Place{{Field: "content", End: 4}}}}, nil
	}
	return nil, nil
}
