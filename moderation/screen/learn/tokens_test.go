package learn

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"Đường này TỐI quá!!":        "đường này tối quá !!",
		"xong.Nhưng mà":              "xong . nhưng mà",
		"hay......... lắm":           "hay ..+ lắm",
		"don’t, don't":               "don't , don't",
		"xem www.Qua.example/a?b=1 ": "xem www.qua.example/a?b=1",
		"vào vay.vn, nhé":            "vào vay.vn, nhé",
		"ở nhà 3a, giá 20k":          "ở nhà 3a , giá 20k",
		"a\u200bb\ufeff \u200d":      "ab",
		"":                           "",
	} {
		var forms []string
		for _, tk := range tokenize(nil, text) {
			forms = append(forms, tk.form)
		}
		if got := strings.Join(forms, " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if n := len(tokenize(nil, strings.Repeat("a ", 1000))); n != maxTokens {
		t.Errorf("%d tokens of a long text", n)
	}
	if got := linkHost("http://www.qua.example/a"); got != "qua.example" {
		t.Errorf("host %q", got)
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("Vay nhanh, bấm vào đây!")
	f.Add("http://a.example ĐƯỜNG\u0300 \xff\xfe ’'.. 1a\u200b")
	m := taught(corpus(60, 50))
	f.Fuzz(func(t *testing.T, text string) {
		p, reasons := m.Explain(text, 100)
		if math.IsNaN(p) || p < 0 || p > 1 {
			t.Errorf("probability %v", p)
		}
		for _, r := range reasons {
			if !slices.IsSortedFunc(r.Places, func(a, b Span) int { return a.Start - b.Start }) {
				t.Errorf("places out of order: %v", r.Places)
			}
			for _, s := range r.Places {
				if s.Start < 0 || s.Start >= s.End || s.End > len(text) {
					t.Errorf("place %v of %d bytes", s, len(text))
				}
			}
		}
	})
}
