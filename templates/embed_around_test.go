package templates

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAroundIsSmallAndNamesItsFiles(t *testing.T) {
	s := newSet(t)
	w := httptest.NewRecorder()
	s.Around().ServeHTTP(w, httptest.NewRequest("GET", "/around.js", nil))
	if w.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("loader: %v", w.Header())
	}
	url, integrity := s.AroundScript()
	if !strings.Contains(w.Body.String(), `".`+url+`"`) || !strings.HasPrefix(integrity, "sha256-") {
		t.Errorf("the loader says %q, not %s", w.Body, url)
	}
	script, css := s.assets.byName[aroundScript], s.assets.byName[aroundCSS]
	t.Logf("%d gzipped, styles %d", len(script.gzip), len(css.gzip))
	if n := len(script.gzip) + len(css.gzip); n > 5<<10 {
		t.Errorf("%d bytes, more than 5 KiB", n)
	}
	if !strings.Contains(string(script.body), strings.TrimPrefix(css.hashed, "embed/")) {
		t.Error("the script doesn't name its styles")
	}
	for _, want := range []string{`"{n} comments"`, `"Lượt xem"`} {
		if !strings.Contains(string(script.body), want) {
			t.Errorf("the words lack %s", want)
		}
	}
	for class, want := range map[string]bool{".dy-audience": true, ".dy-latest": true, ".dy-views": true, ".dy-form": false, ".dy-own": false} {
		if strings.Contains(string(css.body), class) != want {
			t.Errorf("styles of %s: %v", class, !want)
		}
	}
}
