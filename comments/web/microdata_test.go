package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"duyet/comments"
)

// item is what a search engine reads: https://html.spec.whatwg.org/multipage/microdata.html.
type item struct {
	kind, id string
	says     map[string][]string
	has      map[string][]item
}

// items are an element's topmost items.
func items(n *html.Node) (list []item) {
	for c := range n.ChildNodes() {
		if _, is := find(c, "itemscope"); is {
			list = append(list, itemOf(c))
		} else {
			list = append(list, items(c)...)
		}
	}
	return list
}

func itemOf(n *html.Node) item {
	it := item{kind: attr(n, "itemtype"), id: attr(n, "itemid"), says: map[string][]string{}, has: map[string][]item{}}
	it.read(n)
	return it
}

func (it item) read(n *html.Node) {
	for c := range n.ChildNodes() {
		_, scope := find(c, "itemscope")
		for prop := range strings.FieldsSeq(attr(c, "itemprop")) {
			if scope {
				it.has[prop] = append(it.has[prop], itemOf(c))
			} else {
				it.says[prop] = append(it.says[prop], value(c))
			}
		}
		if !scope {
			it.read(c)
		}
	}
}

func value(n *html.Node) string {
	for element, name := range map[string]string{"a": "href", "time": "datetime", "data": "value", "meta": "content"} {
		if n.Data == element {
			return attr(n, name)
		}
	}
	return words(n)
}

// told is a comment as a search engine is told of it, its replies after it.
func (it item) told(depth int) (lines []string) {
	for _, c := range it.has["comment"] {
		lines = append(lines, fmt.Sprintf("%d %s %q %s %q %s %s %s %s", depth, strings.TrimPrefix(c.kind, "https://schema.org/"), c.has["author"][0].says["name"],
			strings.TrimPrefix(c.has["author"][0].kind, "https://schema.org/"), c.says["text"], c.says["dateCreated"], c.says["dateModified"], c.says["url"], c.says["upvoteCount"]))
		lines = append(lines, c.told(depth+1)...)
	}
	return lines
}

// TestSearchEnginesReadTheTree: the one rendering of a thread is schema.org's Comment all
// the way down, wherever it stands.
func TestSearchEnginesReadTheTree(t *testing.T) {
	h := newHouse(t, "https://talk.example")
	top := h.publish(testPage, "Hạnh", "Lời <đầu>", "")
	reply := h.publish(testPage, "Lộc", "Lời đáp", top.ID)
	under := h.publish(testPage, "Yến", "Lời nữa", reply.ID)
	h.decide(reply.ID, comments.Trashed)
	h.pass(time.Second)
	other := h.publish(testPage, "Châu", "Lời khác", "")
	for n := range 2 {
		if code, _ := h.like(other.ID, fmt.Sprintf("%022d", n), true); code != 200 {
			t.Fatalf("like: %d", code)
		}
	}
	h.pass(time.Minute)
	line := func(depth int, c comments.Comment, likes string) string {
		at := links{prefix: "https://talk.example/s/" + testSite, page: testPage, lang: "vi"}.comment(c.ID)
		return fmt.Sprintf("%d Comment [%q] Person [%q] [%s] [] [%s] [%s]", depth, c.Name, c.Content, c.CreatedAt.Format(time.RFC3339), at, likes)
	}
	want := strings.Join([]string{line(0, top, ""), line(1, under, ""), line(0, other, "2")}, "\n")
	d := parse(t, h.get("/s/"+testSite+"/fragment?lang=vi&page="+testPage).Body)
	list := items(d.root)
	if len(list) != 1 || list[0].kind != "https://schema.org/CreativeWork" || list[0].id != testPage {
		t.Fatalf("%+v", list)
	}
	if got := strings.Join(list[0].told(0), "\n"); got != want {
		t.Errorf("told\n%s\nnot\n%s", got, want)
	}
	own := items(h.thread().root)
	if len(own) != 1 || len(own[0].told(0)) != 3 {
		t.Errorf("our own page tells %v", own)
	}
}
