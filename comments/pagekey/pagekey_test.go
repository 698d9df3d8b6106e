package pagekey

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var (
	origins = []string{"https://news.example", "http://localhost:8081", "https://xn--bo-mia.example", "http://[::1]:8081"}
	drop    = []string{"Ref", "vne_*", "từ"}
)

func TestCanonical(t *testing.T) {
	const bao = "https://news.example"
	tests := []struct {
		raw, key string
		isURL    bool
	}{
		// What is not changed.
		{"https://news.example/thoi-su/bai-1.html", bao + "/thoi-su/bai-1.html", true},
		{"https://news.example/?id=5&page=2", bao + "/?id=5&page=2", true},
		{"https://news.example/a//b/", bao + "/a//b/", true},
		{"https://news.example/a%2Fb", bao + "/a%2Fb", true},
		{"https://news.example/a%FFb", bao + "/a%FFb", true},
		// Scheme, host, port.
		{"HTTPS://News.EXAMPLE/Bai", bao + "/Bai", true},
		{"https://news.example", bao + "/", true},
		{"https://news.example?id=1", bao + "/?id=1", true},
		{"https://news.example#top", bao + "/", true},
		{"https://news.example:443/a", bao + "/a", true},
		{"https://news.example:0443/a", bao + "/a", true},
		{"https://news.example:/a", bao + "/a", true},
		{"http://localhost:8081/a", "http://localhost:8081/a", true},
		{"https://Báo.example/a", "https://xn--bo-mia.example/a", true},
		{"https://XN--BO-MIA.example/a", "https://xn--bo-mia.example/a", true},
		{"http://[0:0:0:0:0:0:0:1]:8081/", "http://[::1]:8081/", true},
		// Fragment and query.
		{"https://news.example/a?", bao + "/a", true},
		{"https://news.example/a?#x?y", bao + "/a", true},
		{"https://news.example/a?utm_source=zalo&utm_medium=x", bao + "/a", true},
		{"https://news.example/a?UTM_Source=zalo&id=1", bao + "/a?id=1", true},
		{"https://news.example/a?%75tm_source=zalo&id=1", bao + "/a?id=1", true},
		{"https://news.example/a?b=2&fbclid=abc&a=1&zalo_id=7&gidzl=x", bao + "/a?b=2&a=1", true},
		{"https://news.example/a?id=1&&b=2&", bao + "/a?id=1&b=2", true},
		{"https://news.example/a?ref=home&REF=x&vne_src=1&refer=2", bao + "/a?refer=2", true},
		{"https://news.example/a?t%E1%BB%AB=1&x=2", bao + "/a?x=2", true},
		{"https://news.example/a?utm=1&ga=2&gclidx=3", bao + "/a?utm=1&ga=2&gclidx=3", true},
		{"https://news.example/a?id", bao + "/a?id", true},
		{"https://news.example/a?q=a+b%20c", bao + "/a?q=a+b%20c", true},
		// Percent-encoding.
		{"https://news.example/%7euser/%62%c3%a1o", bao + "/~user/b%C3%A1o", true},
		{"https://news.example/báo mới?từ khoá=1", bao + "/b%C3%A1o%20m%E1%BB%9Bi?t%E1%BB%AB%20kho%C3%A1=1", true},
		{"https://news.example/a?k[]=1", bao + "/a?k%5B%5D=1", true},
		{"https://news.example/l'a?n=l'a", bao + "/l'a?n=l%27a", true},
		{"https://news.example/100%?q=5%zz", bao + "/100%25?q=5%25zz", true},
		{`https://news.example/a\b"<>`, bao + "/a%5Cb%22%3C%3E", true},
		// Dot segments.
		{"https://news.example/a/./b/../c", bao + "/a/c", true},
		{"https://news.example/../../a", bao + "/a", true},
		{"https://news.example/a/%2e%2E/b", bao + "/b", true},
		{"https://news.example/a/..", bao + "/", true},
		{"https://news.example/a/.", bao + "/a/", true},
		{"https://news.example/a/...", bao + "/a/...", true},
		{"https://news.example/a?p=/../b", bao + "/a?p=/../b", true},
		// Spaces around an address.
		{"  https://news.example/a ", bao + "/a", true},
		// Ids of the site's own.
		{"bai-123", "bai-123", false},
		{" bài 123 ", "bài 123", false},
		{"ba\u0300i", "bài", false},
		{"ftp://news.example/a", "ftp://news.example/a", false},
		{"https:news.example", "https:news.example", false},
		{"//news.example/a", "//news.example/a", false},
		{"javascript:alert(1)", "javascript:alert(1)", false},
		{"httpſ://news.example/", "httpſ://news.example/", false},
		{strings.Repeat("a", MaxID), strings.Repeat("a", MaxID), false},
	}
	for _, tt := range tests {
		key, isURL, err := Canonical(tt.raw, origins, drop)
		if err != nil || key != tt.key || isURL != tt.isURL {
			t.Errorf("Canonical(%q) = %q, %v, %v; want %q, %v", tt.raw, key, isURL, err, tt.key, tt.isURL)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	long := "https://news.example/" + strings.Repeat("a", MaxURL-len("https://news.example/"))
	if key, _, err := Canonical(long, origins, nil); err != nil || len(key) != MaxURL {
		t.Errorf("a URL of %d bytes: %v", MaxURL, err)
	}
	if key, _, err := Canonical(long+"?fbclid="+strings.Repeat("x", 1000), origins, nil); err != nil || key != long {
		t.Errorf("tracking parameters count against the length: %v", err)
	}
	tests := []struct {
		raw  string
		want error
	}{
		{"https://elsewhere.example/x", ErrForeign},
		{"http://news.example/x", ErrForeign},
		{"https://news.example:8443/x", ErrForeign},
		{"https://news.example.evil.example/x", ErrForeign},
		{"https://www.news.example/", ErrForeign},
		{"", ErrInvalid},
		{"   ", ErrInvalid},
		{"a\nb", ErrInvalid},
		{"a\x00", ErrInvalid},
		{"a\u0085", ErrInvalid},
		{"a\xff", ErrInvalid},
		{strings.Repeat("a", MaxID+1), ErrInvalid},
		{"https://", ErrInvalid},
		{"https:///a", ErrInvalid},
		{"HTTP://", ErrInvalid},
		{"https://user@news.example/", ErrInvalid},
		{"https://news.example@evil.example/", ErrInvalid},
		{`https://evil.example\@news.example/`, ErrInvalid},
		{`https://news.example\a`, ErrInvalid},
		{"https://news.example:port/", ErrInvalid},
		{"https://news.example:99999/", ErrInvalid},
		{"https://news.example:0/", ErrInvalid},
		{"https://[::1/", ErrInvalid},
		{"https://[::1%25eth0]/", ErrInvalid},
		{"https://ne ws.example/", ErrInvalid},
		{"https://news%2eexample/", ErrInvalid},
		{"https://news.example/a\tb", ErrInvalid},
		{long + "a", ErrInvalid},
		{"https://news.example/" + strings.Repeat("ế", 300), ErrInvalid},
		{"https://news.example/" + strings.Repeat("a", MaxRaw), ErrInvalid},
	}
	for _, tt := range tests {
		if key, isURL, err := Canonical(tt.raw, origins, nil); !errors.Is(err, tt.want) || key != "" || isURL {
			t.Errorf("Canonical(%.60q) = %q, %v, %v; want %v", tt.raw, key, isURL, err, tt.want)
		}
	}
}

// TestTracking holds the table to what isTracking relies on.
func TestTracking(t *testing.T) {
	for _, row := range tracking {
		name := strings.TrimSuffix(row.pattern, "*")
		if row.pattern != lowerASCII(escape(row.pattern, inQuery)) || row.why == "" || len(name) < 3 {
			t.Errorf("%q is not lower case, not escaped, too short or unexplained", row.pattern)
		}
		key, _, err := Canonical("https://news.example/a?x=1&"+name+"=abc&y=2", origins, nil)
		if err != nil || key != "https://news.example/a?x=1&y=2" {
			t.Errorf("%s: %q, %v", row.pattern, key, err)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		"bai-1", "https://news.example/a/../b?utm_source=x&id=1#c", "https://news.example", "HTTPS://Báo.example:443/%c3%a1",
		"http://localhost:8081/?a=%zz&%", "http://[::1]:8081//..//.", "https://user@news.example/", " ba\u0300i ",
		"https://news.example/%25%32%65%2e/%ff?%26=%3d&=&&b", "https://elsewhere.example/", "http\u017f://news.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		key, isURL, err := Canonical(raw, origins, drop)
		if err != nil {
			if key != "" || isURL || !errors.Is(err, ErrForeign) && !errors.Is(err, ErrInvalid) {
				t.Fatalf("%q, %v, %v", key, isURL, err)
			}
			return
		}
		again, againURL, err := Canonical(key, origins, drop)
		if err != nil || again != key || againURL != isURL {
			t.Fatalf("%q becomes %q and then %q, %v", raw, key, again, err)
		}
		if key == "" || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
			t.Fatalf("%q becomes %q", raw, key)
		}
		if !isURL {
			if len(key) > MaxID {
				t.Fatalf("an id of %d bytes", len(key))
			}
			return
		}
		u, err := url.Parse(key)
		if err != nil || u.User != nil || u.Fragment != "" || len(key) > MaxURL || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q becomes %q, %v", raw, key, err)
		}
		own := false
		for _, o := range origins {
			own = own || u.Scheme+"://"+u.Host == o
		}
		if !own {
			t.Fatalf("%q becomes %q on another origin", raw, key)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Canonical("https://news.example/thoi-su/bai-viet-4612345.html?utm_source=zalo&fbclid=IwAR0abc&page=2", origins, nil); err != nil {
			b.Fatal(err)
		}
	}
}
