package templates

import (
	"regexp"
	"strings"
	"testing"
)

// Whatever the element's styles read is declared in the file that comes first, and nothing
// is declared that neither reads.
func TestEmbedTokensFit(t *testing.T) {
	s := newSet(t)
	first, rest := string(s.assets.byName[embedCSS].body), string(s.assets.byName[embedRest].body)
	declared := map[string]bool{}
	for _, m := range regexp.MustCompile(`[{;](--[\w-]+):`).FindAllStringSubmatch(first, -1) {
		declared[m[1]] = true
	}
	read := map[string]bool{}
	for _, m := range regexp.MustCompile(`var\((--[\w-]+)`).FindAllStringSubmatch(first+rest, -1) {
		read[m[1]] = true
		if !declared[m[1]] {
			t.Errorf("%s is read and never declared", m[1])
		}
	}
	for name := range declared {
		if !read[name] {
			t.Errorf("%s is declared and never read", name)
		}
	}
	for _, name := range embedPromised {
		if !declared[name] {
			t.Errorf("%s, which sites may set, is gone", name)
		}
	}
	for _, text := range []string{first, rest} {
		if strings.Count(text, "{") != strings.Count(text, "}") || strings.Contains(text, ":root") || strings.Contains(text, "/*") {
			t.Error("the styles are not whole")
		}
	}
}

func TestSplitCSS(t *testing.T) {
	shown := map[string]bool{"dy-a": true, "dy-own": true}
	place := func(selectors string) int { return cssPlace(selectors, shown) }
	var parts [3]string
	err := splitCSS(`.dy-a{x:1} .dy-own .dy-a:not(.dy-z){x:2} .dy-z,.dy-a{x:3} .dy-z{x:4} body:has(.dy-a){x:5}
		@media print{.dy-a{x:6} .dy-own{x:7}}`, place, &parts)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1 3 6", "2 7", "4 5"} {
		var got []string
		for _, m := range regexp.MustCompile(`x:(\d)`).FindAllStringSubmatch(parts[i], -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("part %d holds %v, not %s", i, got, want)
		}
	}
	if splitCSS(`.dy-a{x:1`, place, &parts) == nil {
		t.Error("a rule without an end is none")
	}
}
