package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

const likesPath = apiPath + "/likes"

func (h *house) like(id comments.ID, author string, liked any, headers ...string) (int, likeBody) {
	h.t.Helper()
	w := h.postJSON(likesPath, map[string]any{"comment": id, "author": author, "liked": liked}, headers...)
	if w.Code != http.StatusOK {
		return w.Code, likeBody{}
	}
	var b likeBody
	if err := json.NewDecoder(w.Body).Decode(&b); err != nil {
		h.t.Fatal(err)
	}
	return w.Code, b
}

// key is an author key as a browser makes it.
func key32(n string) string { return strings.Repeat(n, 32) }

func TestLikes(t *testing.T) {
	h := newHouse(t, "")
	first, second := h.publish(testPage, "Hạnh", "Lời", ""), h.publish(testPage, "Lộc", "Lời", "")
	order := func() string {
		var ids []string
		for _, c := range read[threadBody](h, apiPath+"/thread?page="+testPage+"&sort=liked").Comments {
			ids = append(ids, c.Name)
			if c.Likes == nil {
				t.Error("no likes in JSON")
			}
		}
		return strings.Join(ids, " ")
	}
	if got := order(); got != "Hạnh Lộc" {
		t.Errorf("before: %s", got)
	}
	for i, want := range []likeBody{{string(second.ID), 1, true}, {string(second.ID), 1, true}} {
		if code, got := h.like(second.ID, key32("a"), true, "Origin", "https://news.example"); code != 200 || got != want {
			t.Errorf("like %d: %d %+v", i, code, got)
		}
	}
	if _, got := h.like(second.ID, key32("b"), nil); got.Likes != 2 {
		t.Errorf("another's: %+v", got)
	}
	if got := order(); got != "Lộc Hạnh" {
		t.Errorf("after: %s", got)
	}
	d := parse(t, h.get(fragmentPath+url.QueryEscape(testPage)+"&sort=liked").Body)
	if a := d.all("a.dy-like"); len(a) != 2 || attr(a[0], "data-dy-like") != string(second.ID) || !strings.Contains(words(a[0]), "2") {
		t.Errorf("the fragment shows %d", len(a))
	}
	h.pass(time.Hour)
	if _, got := h.like(second.ID, key32("a"), false); got != (likeBody{string(second.ID), 1, false}) {
		t.Errorf("taken back: %+v", got)
	}
	h.decide(first.ID, comments.Trashed)
	foreign := must(comments.NewID("other"))(t)
	for id, want := range map[comments.ID]int{first.ID: 404, foreign: 404, "x": 404, "": 404} {
		if code, _ := h.like(id, key32("c"), true); code != want {
			t.Errorf("like of %q: %d", id, code)
		}
	}
	for _, author := range []string{"", "x", strings.Repeat("a", 9999)} {
		if code, _ := h.like(second.ID, author, true); code != http.StatusUnprocessableEntity {
			t.Errorf("author %.9q: %d", author, code)
		}
	}
	if code, _ := h.like(second.ID, key32("d"), "yes"); code != http.StatusUnprocessableEntity {
		t.Errorf("liked of the wrong type: %d", code)
	}
	if code, _ := h.like(second.ID, key32("d"), true, "Origin", "https://evil.example"); code != http.StatusForbidden {
		t.Errorf("of a foreign origin: %d", code)
	}
}

// The buttons of our own page need no script.
func TestLikeButtons(t *testing.T) {
	h := newHouse(t, "")
	c := h.publish(testPage, "Hạnh", "Lời", "")
	h.publish(testPage, "Lộc", "Lời", "")
	cookies := ""
	press := func(name string) *document {
		t.Helper()
		d := parse(t, h.get(threadPath("lang=vi", "sort=newest"), "Cookie", cookies).Body)
		d.sound()
		button := d.one("article#" + anchor(c.ID) + " button.dy-like")
		if attr(button, "name") != name || attr(button, "value") != string(c.ID) || attr(button, "aria-pressed") != map[string]string{"like": "false", "unlike": "true"}[name] {
			t.Fatalf("the button is %v", button.Attr)
		}
		form := d.one("form#thich")
		sent := url.Values{name: {string(c.ID)}}
		for _, n := range d.all("form#thich input") {
			sent.Set(attr(n, "name"), attr(n, "value"))
		}
		w := h.postForm(attr(form, "action"), sent, append([]string{"Cookie", cookies}, sameOrigin...)...)
		to := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.Contains(to, "sort=newest") || !strings.HasSuffix(to, "#"+anchor(c.ID)) {
			t.Fatalf("%d to %s", w.Code, to)
		}
		for _, set := range w.Result().Cookies() {
			cookies = set.Name + "=" + set.Value
		}
		path, _, _ := strings.Cut(to, "#")
		after := parse(t, h.get(path, "Cookie", cookies).Body)
		after.sound()
		return &after
	}
	d := press("like")
	if b := d.one("article#" + anchor(c.ID) + " button.dy-like"); attr(b, "aria-pressed") != "true" || !strings.Contains(words(b), "1") {
		t.Errorf("liked: %q", words(b))
	}
	d = press("unlike")
	if b := d.one("article#" + anchor(c.ID) + " button.dy-like"); attr(b, "aria-pressed") != "false" || strings.Contains(words(b), "1") {
		t.Errorf("taken back: %q", words(b))
	}
	w := h.postForm("/s/"+testSite+"/likes", url.Values{"like": {string(c.ID)}, "page": {testPage}}, "Origin", "https://news.example", "Sec-Fetch-Site", "cross-site")
	if w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

// However many like, a thread is rendered once in likesEvery, and what is shown is not
// older than that.
func TestAStormOfLikes(t *testing.T) {
	h := newHouse(t, "", "rate_limit=off")
	c := h.publish(testPage, "Hạnh", "Lời", "")
	shown := func() string {
		n := parse(t, h.get(fragmentPath+url.QueryEscape(testPage)).Body).all("a.dy-like data")
		if len(n) == 0 {
			return "" // as long as nobody likes it
		}
		return words(n[0])
	}
	shown()
	h.pass(time.Second)
	before := h.store.threadReads()
	by := func(i int) string { return key32("k")[2:] + string(rune('a'+i/26)) + string(rune('a'+i%26)) }
	for i := range 100 {
		if code, _ := h.like(c.ID, by(i), true); code != http.StatusOK {
			t.Fatalf("like %d: %d", i, code)
		}
		h.pass(10 * time.Millisecond)
		shown()
	}
	if n := h.store.threadReads() - before; n > 2 {
		t.Errorf("%d renderings in a second of 100 likes", n)
	}
	h.pass(likesEvery)
	if got := shown(); got != "100" {
		t.Errorf("%s are shown in the end", got)
	}
	before = h.store.threadReads()
	h.pass(time.Hour)
	shown()
	if n := h.store.threadReads() - before; n != 0 {
		t.Errorf("%d renderings of what has not changed", n)
	}
}

func TestLikesAreLimited(t *testing.T) {
	h := newHouse(t, "", "rate_limit=on")
	c := h.publish(testPage, "Hạnh", "Lời", "")
	codes := map[int]int{}
	for i := range 40 {
		code, _ := h.like(c.ID, key32("l"), i%2 == 0)
		codes[code]++
	}
	if codes[200] != 30 || codes[429] != 10 {
		t.Errorf("%v", codes)
	}
}

// A name is kept for a reader who asks for it, and only as long.
func TestARememberedName(t *testing.T) {
	h := newHouse(t, "")
	kept := func(remember bool, cookie string) (*http.Cookie, document) {
		f := h.form()
		if f.Has(rememberAt) {
			t.Error("it is remembered unasked")
		}
		if remember {
			f.Set(rememberAt, "1")
		}
		w := h.postForm(formPath, f, append([]string{"Cookie", cookie}, sameOrigin...)...)
		for _, c := range w.Result().Cookies() {
			if c.Name == nameCookie {
				return c, parse(t, h.get(threadPath(), "Cookie", c.Name+"="+c.Value).Body)
			}
		}
		return nil, parse(t, h.get(threadPath(), "Cookie", cookie).Body)
	}
	if c, d := kept(false, ""); c != nil || attr(d.one("input#ten"), "value") != "" {
		t.Errorf("kept unasked: %v", c)
	}
	c, d := kept(true, "")
	if c == nil || c.Path != "/s/"+testSite || !c.HttpOnly || attr(d.one("input#ten"), "value") != "Vũ Thu Hà" || !d.has("input[name=remember]") {
		t.Fatalf("asked for: %v", c)
	}
	if _, checked := find(d.one("input[name=remember]"), "checked"); !checked {
		t.Error("the box does not say so")
	}
	if c, _ := kept(false, c.Name+"="+c.Value); c == nil || c.MaxAge >= 0 {
		t.Errorf("no longer asked for: %v", c)
	}
	// The element keeps the name in its page's own storage: the box it is given is not marked.
	if strings.Contains(h.get(fragmentPath+testPage, "Cookie", nameCookie+"=x").Body.String(), " checked") {
		t.Error("a fragment knows a reader")
	}
	if strings.Contains(h.get(threadPath(), "Cookie", nameCookie+"=%%%").Body.String(), "checked") {
		t.Error("a cookie of nothing")
	}
}
