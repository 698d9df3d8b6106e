package web

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// document is a parsed page, looked at by elements and not by substrings.
type document struct {
	t    testing.TB
	root *html.Node
}

func parse(t testing.TB, r io.Reader) document {
	t.Helper()
	root, err := html.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	return document{t, root}
}

var simple = regexp.MustCompile(`^([a-z0-9]*)(?:#([\w-]+))?(?:\.([\w-]+))?(?:\[([\w-]+)(?:=([^\]]*))?\])?$`)

// all are the elements that match steps like `form.dy input[name=code]`.
func (d document) all(selector string) []*html.Node {
	nodes := []*html.Node{d.root}
	for step := range strings.FieldsSeq(selector) {
		m := simple.FindStringSubmatch(step)
		if m == nil {
			d.t.Fatalf("selector %q", step)
		}
		var next []*html.Node
		for _, n := range nodes {
			for inner := range n.Descendants() {
				if inner.Type == html.ElementNode && fits(inner, m) && !slices.Contains(next, inner) {
					next = append(next, inner)
				}
			}
		}
		nodes = next
	}
	return nodes
}

func fits(n *html.Node, m []string) bool {
	if m[1] != "" && n.Data != m[1] || m[2] != "" && attr(n, "id") != m[2] {
		return false
	}
	if m[3] != "" && !slices.Contains(strings.Fields(attr(n, "class")), m[3]) {
		return false
	}
	if m[4] == "" {
		return true
	}
	value, ok := find(n, m[4])
	return ok && (m[5] == "" || value == m[5])
}

// one is the only element that matches.
func (d document) one(selector string) *html.Node {
	d.t.Helper()
	list := d.all(selector)
	if len(list) != 1 {
		d.t.Fatalf("%d elements are %s", len(list), selector)
	}
	return list[0]
}

func (d document) has(selector string) bool { return len(d.all(selector)) > 0 }

func find(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, name string) string {
	v, _ := find(n, name)
	return v
}

// words is the text of an element, its white space as it is.
func words(n *html.Node) string {
	var b strings.Builder
	for inner := range n.Descendants() {
		if inner.Type == html.TextNode {
			b.WriteString(inner.Data)
		}
	}
	return b.String()
}

// values are what a form would send, without its buttons.
func (d document) values() map[string]string {
	d.t.Helper()
	out := map[string]string{}
	for _, n := range d.all("form input") {
		if _, checked := find(n, "checked"); attr(n, "type") == "checkbox" && !checked {
			continue
		}
		out[attr(n, "name")] = attr(n, "value")
	}
	for _, n := range d.all("form textarea") {
		out[attr(n, "name")] = words(n)
	}
	return out
}

// sound fails the test on what no page may have: a reference to an id that isn't there,
// an id twice, a field without a label, a style or script inside.
func (d document) sound() {
	d.t.Helper()
	ids := map[string]int{}
	for _, n := range d.all("[id]") {
		ids[attr(n, "id")]++
	}
	for id, times := range ids {
		if times > 1 {
			d.t.Errorf("id %s stands %d times", id, times)
		}
	}
	for _, name := range []string{"aria-labelledby", "aria-describedby", "for"} {
		for _, n := range d.all("[" + name + "]") {
			for _, id := range strings.Fields(attr(n, name)) {
				if ids[id] == 0 {
					d.t.Errorf("%s of <%s> names %s, which isn't there", name, n.Data, id)
				}
			}
		}
	}
	for _, n := range d.all("a[href]") {
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && ids[id] == 0 {
			d.t.Errorf("a link to #%s, which isn't there", id)
		}
	}
	for _, n := range append(d.all("form input[id]"), d.all("form textarea")...) {
		if !d.has("label[for=" + attr(n, "id") + "]") {
			d.t.Errorf("%s has no label", attr(n, "name"))
		}
	}
	if d.has("[style]") || d.has("style") {
		d.t.Error("a style stands in the page")
	}
	for _, n := range d.all("script") {
		if words(n) != "" {
			d.t.Error("a script stands in the page")
		}
	}
}
