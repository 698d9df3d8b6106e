package web

import (
	"strings"
	"testing"
	"time"
)

func TestFormInAFrame(t *testing.T) {
	h := newHouse(t, "")
	h.publish(testPage, "Hạnh", "Lời đầu", "")
	d := parse(t, h.get(threadPath("view=form", "page_title=Phố%20đi%20bộ", "lang=vi")).Body)
	d.sound()
	if d.has("ol.dy-thread") || !d.has("form") || d.values()["page_title"] != "Phố đi bộ" {
		t.Error("not the form alone")
	}
	action := attr(d.one("form"), "action")
	f := h.form("view=form")
	w := h.postForm(action, f, sameOrigin...)
	if loc := w.Header().Get("Location"); w.Code != 303 || !strings.Contains(loc, "view=form") {
		t.Errorf("%d %s", w.Code, loc)
	}
	f.Set("name", "")
	f.Set("ticket", "x")
	if d := parse(t, h.postForm(action, f, sameOrigin...).Body); d.has("ol.dy-thread") || !strings.Contains(attr(d.one("form"), "action"), "view=form") {
		t.Error("an error brings the thread into the frame")
	}
}

func TestReplies(t *testing.T) {
	h := newHouse(t, "")
	c := h.publish(testPage, "Nguyễn Thị Hạnh", "Lời đầu", "")
	thread := parse(t, h.get(threadPath("lang=vi")).Body)
	var link string
	for _, n := range thread.all("article.dy-c div.dy-acts a") {
		if strings.HasPrefix(words(n), "Trả lời") {
			link = attr(n, "href")
		}
	}
	path, _, _ := strings.Cut(link, "#")
	d := parse(t, h.get(path).Body)
	d.sound()
	if !strings.Contains(words(d.one("p.dy-to")), "Nguyễn Thị Hạnh") || d.values()["parent"] != string(c.ID) {
		t.Errorf("the form does not answer: %v", d.values())
	}
	reply := h.publish(testPage, "Trần Văn Lộc", "Lời đáp", c.ID)
	d = parse(t, h.get(threadPath("lang=vi")).Body)
	d.sound()
	list := d.one("ol.dy-thread ol.dy-replies")
	if attr(list, "aria-label") != "Trả lời Nguyễn Thị Hạnh" || !d.has("ol.dy-replies article#"+anchor(reply.ID)) {
		t.Errorf("replies below %s", attr(list, "aria-label"))
	}
	d = parse(t, h.get(threadPath("lang=vi", "parent=x")).Body)
	if d.values()["parent"] != "" || !strings.Contains(words(d.one("section.dy-form")), "không còn ở đây") {
		t.Error("a parent that is gone is kept")
	}
}

func TestThreadIsPaged(t *testing.T) {
	h := newHouse(t, "")
	for range 3 {
		h.pass(time.Minute)
		h.publish(testPage, "Hạnh", "Lời", "")
	}
	seen := map[string]bool{}
	path := threadPath("lang=vi", "limit=2", "sort=newest")
	for range 2 {
		d := parse(t, h.get(path).Body)
		d.sound()
		for _, n := range d.all("article") {
			seen[attr(n, "id")] = true
		}
		if more := d.all("div.dy-more a"); len(more) == 1 {
			path, _, _ = strings.Cut(attr(more[0], "href"), "#")
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d comments on two pages", len(seen))
	}
}
