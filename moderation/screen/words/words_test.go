package words

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func compile(t testing.TB, entries ...Entry) *List {
	t.Helper()
	l, err := Compile(entries)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// found is the matched stretches of text, bars between them.
func found(l *List, text string) string {
	var out []string
	for _, m := range l.Find(text) {
		out = append(out, text[m.Start:m.End])
	}
	return strings.Join(out, "|")
}

func TestDiacriticsAreRespectedUnlessLoose(t *testing.T) {
	strict := compile(t, Entry{Text: "lồn"}, Entry{Text: "ngu"}, Entry{Text: "hòa"})
	loose := compile(t, Entry{Text: "lồn", Loose: true}, Entry{Text: "ngu", Loose: true})
	for text, want := range map[string][2]string{
		"lồn LỒN":         {"lồn|LỒN", "lồn|LỒN"},
		"lon lớn lộn":     {"", "lon|lớn|lộn"},
		"đi ngủ":          {"", "ngủ"},
		"ngu người":       {"ngu", "ngu"},
		"hoà và hòa":      {"hoà|hòa", ""},
		"hoa, hỏa":        {"", ""},
		"khôn lồng tiếng": {"", ""},
	} {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			text := form.String(text)
			if got := norm.NFC.String(found(strict, text)); got != want[0] {
				t.Errorf("strict %q: %q, want %q", text, got, want[0])
			}
			if got := norm.NFC.String(found(loose, text)); got != want[1] {
				t.Errorf("loose %q: %q, want %q", text, got, want[1])
			}
		}
	}
}

func TestWholeAndInside(t *testing.T) {
	whole, inside := compile(t, Entry{Text: "ass"}, Entry{Text: "vay nóng"}), compile(t, Entry{Text: "ass", Mode: Inside})
	for text, want := range map[string][2]string{
		"ass":                 {"ass", "ass"},
		"class, massage":      {"", "ass|ass"},
		"an ass.":             {"ass", "ass"},
		"as she":              {"", ""},
		"vay nóng, vay\nnóng": {"vay nóng|vay\nnóng", ""},
		"vayx nóng":           {"", ""},
		"vay. Nóng quá":       {"", ""},
		"ass2":                {"", "ass"},
	} {
		if got := found(whole, text); got != want[0] {
			t.Errorf("whole %q: %q, want %q", text, got, want[0])
		}
		if got := found(inside, text); got != want[1] {
			t.Errorf("inside %q: %q, want %q", text, got, want[1])
		}
	}
}

func TestExceptions(t *testing.T) {
	l := compile(t,
		Entry{Text: "cunt", Mode: Inside}, Entry{Text: "scunthorpe", Allow: true},
		Entry{Text: "óc chó"}, Entry{Text: "hạt óc chó", Allow: true})
	for text, want := range map[string]string{
		"Scunthorpe":              "",
		"cunt of Scunthorpe cunt": "cunt|cunt",
		"hạt óc chó":              "",
		"đồ óc chó ăn hạt óc chó": "óc chó",
		"s.c.u.n.t.h.o.r.p.e":     "", // no whole word is cunt
		"hạt. Óc chó":             "Óc chó",
		"hạt ó.c c.h.ó":           "ó.c c.h.ó", // a disguised exception is none
	} {
		if got := found(l, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTricksAreNamed(t *testing.T) {
	l := compile(t, Entry{Text: "địt mẹ"}, Entry{Text: "casino"}, Entry{Text: "không biết"})
	for text, want := range map[string]Trick{
		"địt mẹ":            0,
		"ĐỊT  MẸ":           0,
		"đ.ị.t mẹ":          Split,
		"địtmẹ":             Glued,
		"địt mẹẹẹẹ":         Stretched,
		"đị\u200bt mẹ":      Hidden,
		"\u200bđịt mẹ":      0,
		"cas1no":            Leet,
		"cаsino":            Lookalike,
		"ｃａｓｉｎｏ":            Lookalike,
		"c*sino":            Masked,
		"ko biết":           Teen,
		"c.a.s.1.n.o":       Split | Leet,
		"cаsiiiino":         Lookalike | Stretched,
		"𝐜.𝐚.𝐬.\u200b𝐢.𝐧.𝐨": Split | Lookalike,
	} {
		ms := l.Find(text)
		if len(ms) != 1 || ms[0].Tricks != want {
			t.Errorf("%q: %v, want one with tricks %b", text, ms, want)
		}
	}
}

func TestPlacesAreOfTheOriginal(t *testing.T) {
	l := compile(t, Entry{Text: "ngu"}, Entry{Text: "lồn"})
	for text, want := range map[string]string{
		"Sao n\u200bg\u200bu thế":   "n\u200bg\u200bu",
		"là lo\u0302\u0300n đó":     "lo\u0302\u0300n",
		"ｎｇｕ ｑｕá":                   "ｎｇｕ",
		"quá n-g-u!":                "n-g-u",
		"(nguuuuu)":                 "nguuuuu",
		"n\u0336g\u0336u\u0336 quá": "n\u0336g\u0336u\u0336",
		"đồ nqu.":                   "nqu",
		"một l*n thôi":              "l*n",
		"ngu ngu":                   "ngu|ngu",
	} {
		if got := found(l, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestRepeatedLetters(t *testing.T) {
	l := compile(t, Entry{Text: "ass"}, Entry{Text: "god"}, Entry{Text: "địt"}, Entry{Text: "boob"})
	for text, want := range map[string]string{
		"as":           "",
		"asss":         "asss",
		"good":         "", // twice is how English spells
		"goood":        "goood",
		"địtt":         "địtt", // but not Vietnamese
		"bob":          "",
		"boooob":       "boooob",
		"đi... ị... t": "",
	} {
		if got := found(l, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestForeignTextStaysForeign(t *testing.T) {
	l := compile(t, Entry{Text: "cop"}, Entry{Text: "сука"}, Entry{Text: "赌场", Mode: Inside})
	for text, want := range map[string]string{
		"Этот сор не наш":          "", // Russian: rubbish
		"they say сор and mean it": "сор",
		"сука":                     "сука",
		"СУКА ты":                  "СУКА",
		"澳门赌场欢迎您":                  "赌场",
	} {
		if got := found(l, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestManyEntriesAtOnePlace(t *testing.T) {
	l := compile(t, Entry{Text: "vay"}, Entry{Text: "vay nóng"}, Entry{Text: "nóng"}, Entry{Text: "vay"}, Entry{Text: "vây"})
	var got []string
	for _, m := range l.Find("vay nóng") {
		got = append(got, fmt.Sprint(m.Entry, m.Start, m.End))
	}
	if s := strings.Join(got, ", "); s != "0 0 3, 1 0 9, 3 0 3, 2 4 9" {
		t.Errorf("%s", s)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, text := range []string{"", "  ", "...", "\u200b", strings.Repeat("a", MaxLetters+1)} {
		if _, err := Compile([]Entry{{Text: "ok"}, {Text: text}}); !errors.Is(err, ErrEntry) || !strings.Contains(err.Error(), "entry 1") {
			t.Errorf("%q: %v", text, err)
		}
	}
	l := compile(t)
	if got := l.Find("gì cũng được"); got != nil || l.Len() != 0 {
		t.Errorf("an empty list finds %v", got)
	}
	compile(t, Entry{Text: strings.Repeat("a ", MaxLetters)})
}

func TestMixed(t *testing.T) {
	for text, want := range map[string]string{
		"pаypal và gооgle":      "pаypal|gооgle",
		"Привет, Việt Nam":      "",
		"Ελλάδα paypal":         "",
		"\xffpаy\xff":           "pаy",
		"tiê\u0301ng vа\u0323y": "vа\u0323y",
		"":                      "",
	} {
		var got []string
		for _, s := range Mixed(text) {
			got = append(got, text[s.Start:s.End])
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

func TestLookalikesAreSoundAndLeaveVietnameseAlone(t *testing.T) {
	for i, e := range lookalikes {
		to := rune(e & 0xff)
		if i > 0 && lookalikes[i-1]>>8 >= e>>8 || !(to >= 'a' && to <= 'z' || to >= '0' && to <= '9') {
			t.Fatalf("entry %d, %#x", i, e)
		}
	}
	for _, r := range "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ" {
		if to := lookalike(r); to != 0 {
			t.Errorf("%c would be %c", r, to)
		}
	}
}

func TestFindAtOnce(t *testing.T) {
	l := compile(t, Entry{Text: "địt mẹ"}, Entry{Text: "ngu"})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if got := found(l, "đ.ị.t m3 ngu ngủ"); got != "đ.ị.t m3|ngu" {
					t.Errorf("%q", got)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"đ.ị.t mẹ", "a$$ f*ck c**t", "n\u200bgu\u0336", "\xff\xfe 1!1", "ｆｕｃｋ ﬁ ㎏", "k bít dz j", "aaaa....aaaa"} {
		f.Add(s)
	}
	l := compile(f, Entry{Text: "địt mẹ"}, Entry{Text: "ass"}, Entry{Text: "aaaa", Mode: Inside}, Entry{Text: "cunt", Mode: Inside, Loose: true},
		Entry{Text: "a"}, Entry{Text: "không biết"}, Entry{Text: "scunthorpe", Allow: true}, Entry{Text: "18+"})
	f.Fuzz(func(t *testing.T, text string) {
		ms := l.Find(text)
		for i, m := range ms {
			if m.Start < 0 || m.Start >= m.End || m.End > len(text) {
				t.Fatalf("%+v of %d bytes", m, len(text))
			}
			if i > 0 && m.Start < ms[i-1].Start {
				t.Errorf("out of order: %+v", ms)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[m.Start:m.End]) {
				t.Errorf("%+v cuts a character", m)
			}
		}
		for _, s := range Mixed(text) {
			if s.Start >= s.End || s.End > len(text) {
				t.Errorf("mixed %v of %d bytes", s, len(text))
			}
		}
		if _, err := Compile([]Entry{{Text: text}}); err != nil && !errors.Is(err, ErrEntry) {
			t.Error(err)
		}
	})
}

// manyEntries is a list of n invented words and phrases of Vietnamese syllables.
func manyEntries(n int) []Entry {
	onsets := strings.Fields("b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x")
	rhymes := strings.Fields("a à á ả ã ạ an àn án at át anh ành ê ề ế ên ền ết i ì í in ình o ò ó on òn ót ông ồng ống ơ ờ ớ ơn ờn u ù ú un út ương ường ướng")
	out := make([]Entry, n)
	for i := range out {
		x := i*7919 + 13
		word := func() string {
			s := onsets[x%len(onsets)] + rhymes[x/len(onsets)%len(rhymes)]
			x = x/7 + i*31
			return s
		}
		out[i] = Entry{Text: word() + " " + word() + " " + word(), Loose: i%5 == 0}
		if i%10 == 0 {
			out[i] = Entry{Text: word() + "x", Mode: Inside}
		}
	}
	return out
}

const comment = "Đường này tối quá, mong phường sớm lắp thêm đèn! Tôi đi làm về lúc 10h đêm mà không thấy gì, " +
	"hôm trước suýt tông vào ổ gà. Cảm ơn tòa soạn đã đăng bài này, rất hữu ích."

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		l := compile(b, manyEntries(n)...)
		for name, text := range map[string]string{
			"plain":     comment,
			"disguised": strings.NewReplacer("o", "0", "i", "1", "không", "k", "tôi", "t*i", "a", "а").Replace(comment),
			"long":      strings.Repeat(comment+"\n", 20),
		} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					l.Find(text)
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	entries := manyEntries(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(entries); err != nil {
			b.Fatal(err)
		}
	}
}
