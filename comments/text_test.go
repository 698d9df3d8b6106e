package comments

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" a\r\nb\rc \u3000":                "a\nb\nc",
		"Nguye\u0302\u0303n":               "Nguyễn",
		"a" + strings.Repeat("\u0301", 40): "á\u0301\u0301",
		"Ngô\u0323":                        "Ngộ",
	} {
		got := Clean(in)
		if got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
		if again := Clean(got); again != got {
			t.Errorf("%q is cleaned to %q and then to %q", in, got, again)
		}
	}
}

func TestFieldRules(t *testing.T) {
	one := textRule{"name", true, true, 5, 100}
	many := textRule{"content", true, false, 5, 100}
	for _, c := range []struct {
		rule     textRule
		in, code string
	}{
		{one, "", CodeRequired}, {one, " \u200b ", CodeRequired}, {one, "\u3164\u2800", CodeRequired},
		{many, " \u00a0\u3000 ", CodeRequired}, {one, "a\nb", CodeOneLine}, {one, "a\u2028b", CodeOneLine},
		{one, "a\u202eb", CodeBidi}, {many, "a\u202eb", ""}, {many, "a\x00b", CodeControl}, {one, "a\x7f", CodeControl},
		{many, "a\n\tb", ""}, {one, "abcdef", CodeTooLong}, {one, "👨‍👩‍👧‍👦👨‍👩‍👧‍👦", ""}, {many, "abcde\r\n", ""},
		{one, strings.Repeat("\u0301", 101), CodeTooLong},
	} {
		_, bad := c.rule.check(c.in)
		got := ""
		if bad != nil {
			got = bad.Code
		}
		if got != c.code {
			t.Errorf("%s %q: %q, not %q", c.rule.field, c.in, got, c.code)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\r\n", "e\u0302\u0301\u0302\u0301\u0301", "\xff", "\u0958\u1161"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := Clean(s); Clean(once) != once {
			t.Fatalf("%q is cleaned to %q and then to %q", s, once, Clean(once))
		}
	})
}

func TestSettings(t *testing.T) {
	s := DefaultSettings()
	for _, k := range SettingKeys() {
		if err := s.Set(k, s.Get(k)); err != nil {
			t.Errorf("%s: its own text is refused: %v", k, err)
		}
	}
	before := s
	for k, v := range map[string]string{"lang": "fr", "ticket_ttl": "0s", "name_max": "0", "timezone": "Mars", "rules_url": "javascript:x", "nope": "1", "rate_limit": "maybe"} {
		if err := s.Set(k, v); err == nil {
			t.Errorf("%s=%s is taken", k, v)
		}
	}
	if s.Get("lang") != before.Get("lang") || s.NameMax != before.NameMax {
		t.Error("a refused setting changed something")
	}
}

func TestOrigins(t *testing.T) {
	for in, want := range map[string]string{
		"https://News.Example:443/": "https://news.example", "http://a:8081": "http://a:8081",
		"https://báo.vn": "https://xn--bo-mia.vn", "https://a/b": "", "ftp://a": "", "a": "", "https://u@a": "",
	} {
		got, err := CanonicalOrigin(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestShorten(t *testing.T) {
	for in, want := range map[string]string{
		"Ngắn thôi":        "Ngắn thôi",
		"Hai\n\ndòng  một": "Hai dòng một",
		"Đoạn từ cầu đến bến đò dài":                     "Đoạn từ cầu đến bến…",
		"khôngcókhoảngtrắngnàoởđâycả":                    "khôngcókhoảngtrắngn…",
		"e\u0301e\u0301e\u0301 " + "mười chín ký tự nữa": "e\u0301e\u0301e\u0301 mười chín ký tự…",
		"": "",
	} {
		if got := Shorten(in, 20); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}
