package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

// thread is the page of the thread.
func (h *house) thread(more ...string) document {
	h.t.Helper()
	d := parse(h.t, h.get(threadPath(append([]string{"lang=vi"}, more...)...)).Body)
	d.sound()
	return d
}

func TestDeepRepliesGoOnFlat(t *testing.T) {
	h := newHouse(t, "", "reply_depth=2")
	chain := []comments.Comment{h.publish(testPage, "Không", "Lời", "")}
	for _, name := range []string{"Một", "Hai", "Ba", "Bốn"} {
		chain = append(chain, h.publish(testPage, name, "Lời", chain[len(chain)-1].ID))
	}
	d := h.thread()
	if n := len(d.all("ol.dy-replies ol.dy-replies article")); n != 3 || len(d.all("ol.dy-replies")) != 2 {
		t.Errorf("%d on the deepest level of %d", n, len(d.all("ol.dy-replies")))
	}
	by := d.one("article#" + anchor(chain[4].ID) + " p.dy-by")
	if !strings.Contains(words(by), "trả lời Ba") || !d.has("article#"+anchor(chain[4].ID)+" span a[href=#"+anchor(chain[3].ID)+"]") {
		t.Errorf("by %q", words(by))
	}
	if strings.Contains(words(d.one("article#"+anchor(chain[2].ID)+" p.dy-by")), "trả lời") {
		t.Error("one whose place says whom it answers says so twice")
	}
	h.set("reply_depth=0")
	if d := h.thread(); d.has("ol.dy-replies") || len(d.all("ol.dy-thread article")) != 5 {
		t.Error("nested though the site wants none")
	}
}

// A comment that no longer stands leaves its place to what answers it, and says nothing of
// itself: what waits, what is spam and what was removed look the same.
func TestTombstones(t *testing.T) {
	var first string
	for _, status := range []comments.Status{comments.Pending, comments.Rejected, comments.Spam, comments.Trashed} {
		h := newHouse(t, "")
		top := h.publish(testPage, "Bí Mật", "Lời kín", "")
		reply := h.publish(testPage, "Lộc", "Lời đáp", top.ID)
		under := h.publish(testPage, "Yến", "Lời nữa", reply.ID)
		h.decide(top.ID, status)
		h.decide(reply.ID, status)
		body := h.get(threadPath("lang=vi")).Body.String()
		d := parse(t, strings.NewReader(body))
		d.sound()
		if strings.Contains(body, "Bí Mật") || strings.Contains(body, "Lời kín") || strings.Contains(body, "Lộc") {
			t.Errorf("%s: its words are there", status)
		}
		gone := d.all("p.dy-gone")
		if len(gone) != 2 || !d.has("ol.dy-replies ol.dy-replies article#"+anchor(under.ID)) {
			t.Fatalf("%s: %d places", status, len(gone))
		}
		if first == "" {
			first = words(gone[0])
		} else if words(gone[0]) != first {
			t.Errorf("%s: %q, and %q before", status, words(gone[0]), first)
		}
		h.decide(under.ID, status)
		if h.thread().has("p.dy-gone") {
			t.Errorf("%s: a place without replies", status)
		}
	}
}

// Page by page and tree by tree, each comment is shown once.
func TestTreesArePaged(t *testing.T) {
	h := newHouse(t, "")
	want := map[string]bool{}
	add := func(parent comments.ID) comments.ID {
		c := h.publish(testPage, "Hạnh", "Lời", parent)
		want[anchor(c.ID)] = true
		return c.ID
	}
	add("")
	large := add("")
	for range 30 {
		add(large)
	}
	add(add(add("")))
	for _, sort := range []string{"oldest", "newest", "liked"} {
		for _, limit := range []int{1, 2, 5, 12, 50} {
			seen := map[string]int{}
			visit(h, threadPath("lang=vi", "sort="+sort, fmt.Sprint("limit=", limit)), limit, seen)
			for id := range want {
				if seen[id] != 1 {
					t.Errorf("%s by %d: %s is shown %d times", sort, limit, id, seen[id])
				}
			}
			if len(seen) != len(want) {
				t.Errorf("%s by %d: %d comments of %d", sort, limit, len(seen), len(want))
			}
		}
	}
	d := h.thread("limit=50")
	if d.has("div.dy-more") || d.has("p.dy-rest") || len(d.all("article")) != len(want) {
		t.Error("a thread that fits is cut")
	}
}

// visit follows every link to more, and counts what is shown for the first time.
func visit(h *house, path string, limit int, seen map[string]int) {
	h.t.Helper()
	d := parse(h.t, h.get(path).Body)
	d.sound()
	if n := len(d.all("article.dy-c")) - len(d.all("article.dy-again")); n > limit || n == 0 {
		h.t.Fatalf("%d comments on %s", n, path)
	}
	for _, n := range d.all("article.dy-c") {
		if !strings.Contains(attr(n, "class"), "dy-again") {
			seen[attr(n, "id")]++
		}
	}
	for _, n := range append(d.all("p.dy-rest a"), d.all("div.dy-more a")...) {
		next, _, _ := strings.Cut(attr(n, "href"), "#")
		if strings.Contains(next, "after=") {
			visit(h, next+fmt.Sprint("&limit=", limit), limit, seen)
		}
	}
}

func TestPermalinks(t *testing.T) {
	h := newHouse(t, "")
	var tops []comments.Comment
	for range 60 {
		h.pass(time.Second)
		tops = append(tops, h.publish(testPage, "Hạnh", "Lời", ""))
	}
	var replies []comments.Comment
	for range 70 {
		replies = append(replies, h.publish(testPage, "Lộc", "Đáp", tops[3].ID))
	}
	deep := h.publish(testPage, "Yến", "Sâu", h.publish(testPage, "Bảo", "Đáp", replies[69].ID).ID)
	at := func(id comments.ID) document { return h.thread("comment=" + url.QueryEscape(string(id))) }
	link := attr(h.thread().one("article#"+anchor(tops[0].ID)+" p.dy-by a"), "href")
	if link != threadPath("lang=vi", "comment="+url.QueryEscape(string(tops[0].ID)))+"#"+anchor(tops[0].ID) {
		t.Errorf("permalink %s", link)
	}
	for name, c := range map[string]comments.Comment{
		"first": tops[0], "last": tops[59], "reply": replies[2], "late reply": replies[66], "deep": deep,
	} {
		d := at(c.ID)
		if !d.has("article#"+anchor(c.ID)) || d.has("div#"+noticeAnchor) {
			t.Errorf("%s: it is not there", name)
		}
		if f := parse(t, h.get(fragmentPath+url.QueryEscape(testPage)+"&comment="+url.QueryEscape(string(c.ID))).Body); !f.has("article#" + anchor(c.ID)) {
			t.Errorf("%s: not in the fragment", name)
		}
	}
	if d := at(tops[0].ID); d.has("p.dy-start") {
		t.Error("a comment of the first page has another")
	}
	d := at(deep.ID)
	if !d.has("article#"+anchor(tops[3].ID)) || !d.has("article#"+anchor(replies[69].ID)) || d.has("article#"+anchor(replies[40].ID)) {
		t.Error("a deep reply stands without those that lead to it, or with others")
	}
	// What is gone, waits or never was: the same words.
	h.decide(tops[9].ID, comments.Trashed)
	h.decide(tops[10].ID, comments.Pending)
	unknown := must(comments.NewID(testSite))(t)
	for _, id := range []comments.ID{tops[9].ID, tops[10].ID, unknown, "x", "other~" + unknown} {
		if d := at(id); !strings.Contains(words(d.one("div#"+noticeAnchor)), "hiện không có ở đây") || len(d.all("article")) == 0 {
			t.Errorf("%s: no word, or no thread", id)
		}
	}
	// One that leaves a place is found there.
	h.decide(tops[3].ID, comments.Spam)
	if d := at(tops[3].ID); !d.has("p#"+anchor(tops[3].ID)) || d.has("div#"+noticeAnchor) {
		t.Error("the place of a removed comment is not found")
	}
}

func TestMarksOfTheNewsroom(t *testing.T) {
	h := newHouse(t, "")
	c := h.publish(testPage, "Hạnh", "Lời", "")
	edit := func(change func(*comments.Comment)) {
		done, err := h.db.Amend(t.Context(), []comments.Amendment{{ID: c.ID, Actor: "m", Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
			change(&c)
			return &comments.Step{Comment: c, Kind: comments.KindDecided}, nil
		}}})
		if err != nil || done[0].Err != nil {
			t.Fatal(err, done)
		}
	}
	if d := h.thread(); d.has("p.dy-tag") || d.has("p.dy-note") || d.has("span.dy-desk") {
		t.Error("marks without a reason")
	}
	edit(func(c *comments.Comment) { c.Marks |= comments.Pick | comments.Newsroom; c.EditedAt = h.clock() })
	if d := h.thread(); !d.has("p.dy-tag") || !d.has("span.dy-desk") || !strings.Contains(words(d.one("p.dy-note")), "Đã sửa") {
		t.Error("marks are missing")
	}
	// While an edit waits, the public words stand, and nothing tells of the edit.
	public := comments.Words{Name: "Hạnh", Title: "Cũ", Content: "Lời cũ"}
	edit(func(c *comments.Comment) {
		c.Status, c.Public, c.Content, c.EditedAt = comments.Pending, &public, "Lời mới", h.clock()
	})
	d := h.thread()
	if text := words(d.one("div.dy-text")); text != "Lời cũ" || d.has("p.dy-note") {
		t.Errorf("while an edit waits: %q", text)
	}
}

func TestASiteWithoutLikes(t *testing.T) {
	h := newHouse(t, "", "likes=off")
	c := h.publish(testPage, "Hạnh", "Lời", "")
	d := h.thread("sort=liked")
	if d.has("button.dy-like") || d.has("a[href=liked]") || len(d.all("nav.dy-sort a")) != 2 || attr(d.one("nav.dy-sort a[aria-current]"), "href") == "" {
		t.Error("likes where the site wants none")
	}
	if body := h.get(apiPath + "/thread?page=" + testPage + "&sort=liked").Body.String(); strings.Contains(body, "likes") {
		t.Error("likes in JSON")
	}
	if w := h.postJSON(apiPath+"/likes", map[string]any{"comment": c.ID, "author": "abcdefghijklmnopqrstuvwxyz234567"}); w.Code != http.StatusNotFound {
		t.Errorf("a like: %d", w.Code)
	}
}
