package screen

import (
	"strings"
	"testing"
)

// FuzzQuickLooksMissNothing: what is passed over without its pattern has no match for it.
func FuzzQuickLooksMissNothing(f *testing.F) {
	for _, s := range []string{
		"", "Xem tại bao.vn/a nhé.", "Đi bộ. Rồi về.", "https://vi.example", "http://x", "a.ſite", "1.vn", "Nhà ở 12 Phố Huế", "số 3/5a,\tĐƯỜNG Láng",
		"ngõ 12, tối", "12 khu\n phố 3", "5 street", "a.COM", "x .vn", "15\u00a0đường", "1 2 3 tổ 4",
	} {
		f.Add(s)
	}
	link, address := linkPattern(), addressPattern()
	f.Fuzz(func(t *testing.T, s string) {
		if !mayLink(s) && strings.Contains(s, ".") && link.MatchString(s) {
			t.Errorf("a link in %q is passed over", s)
		}
		if !mayAddress(s) && address.MatchString(s) {
			t.Errorf("an address in %q is passed over", s)
		}
	})
}
