// Package search finds comments by their words: what a moderator types is read here, an
// index is kept here in whatever a store offers for it (comments.IndexStore), and here every
// comment that the index proposes is held against the question once more. So all stores fold
// words the same way and find the same.
package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letter is what the tables know of a rune.
type letter struct {
	lower, bare rune // bare: without marks, in the same case
	kind        kind
}

type kind uint8

const (
	other kind = iota
	inWord
	alone // a word by itself, in scripts that leave no space between words
	mark
)

// letters are the runes of alphabets, which nearly all texts are made of. It is filled once
// and then only read.
var letters = func() (table [0x2000]letter) {
	for r := range table {
		table[r] = look(rune(r))
	}
	return table
}()

func letterOf(r rune) letter {
	if int(r) < len(letters) {
		return letters[r]
	}
	return look(r)
}

// look asks the tables of Unicode.
func look(r rune) letter {
	l := letter{lower: unicode.ToLower(r), bare: bare(r)}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		l.kind = mark
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer):
		l.kind = alone
	case unicode.IsLetter(r), unicode.IsDigit(r):
		l.kind = inWord
	}
	return l
}

// bare is a letter without its marks: ế and Đ are e and D.
func bare(r rune) rune {
	switch r {
	case 'đ':
		return 'd'
	case 'Đ':
		return 'D'
	}
	d := norm.NFKD.PropertiesString(string(r)).Decomposition()
	if d == nil {
		return r
	}
	first, size := utf8.DecodeRune(d)
	for rest := d[size:]; len(rest) > 0; {
		m, n := utf8.DecodeRune(rest)
		if !unicode.In(m, unicode.Mn, unicode.Me) {
			return r // more than one letter, such as a ligature
		}
		rest = rest[n:]
	}
	if first != r {
		return bare(first)
	}
	return r
}

// Fold is a word or text without marks and capitals: "Bến Đò" and "ben do" are one.
func Fold(s string) string {
	return fold(s, true, true)
}

func fold(s string, marks, capitals bool) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFC.String(s) {
		l := letterOf(r)
		if marks {
			if l.kind == mark {
				continue
			}
			if r = l.bare; capitals {
				r = unicode.ToLower(r)
			}
		} else if capitals {
			r = l.lower
		}
		b.WriteRune(r)
	}
	return b.String()
}

// oldTones writes tones as the old way places them, so that hoà and hòa are one word.
var oldTones = strings.NewReplacer(
	"oà", "òa", "oá", "óa", "oả", "ỏa", "oã", "õa", "oạ", "ọa",
	"oè", "òe", "oé", "óe", "oẻ", "ỏe", "oẽ", "õe", "oẹ", "ọe",
	"uỳ", "ùy", "uý", "úy", "uỷ", "ủy", "uỹ", "ũy", "uỵ", "ụy",
)

// exact is a word with its marks, whatever its capitals.
func exact(s string) string { return placed(fold(s, false, true)) }

// placed places tones the old way. Few words are looked at closely.
func placed(s string) string {
	before := rune(0)
	for _, r := range s {
		if r >= utf8.RuneSelf && (before == 'o' || before == 'u') {
			return oldTones.Replace(s)
		}
		before = r
	}
	return s
}

// token is a word within a text.
type token struct {
	start, end int // in the text
	from, to   int // of its folded form in the splitter's buffer
}

// splitter cuts texts into words. Its buffers are used again from text to text.
type splitter struct {
	tokens []token
	folded []byte
}

// split leaves the words of a text in tokens.
func (s *splitter) split(text string) {
	s.tokens, s.folded = s.tokens[:0], s.folded[:0]
	open := false
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		l := letterOf(r)
		switch l.kind {
		case inWord, alone:
			if !open || l.kind == alone {
				s.tokens = append(s.tokens, token{start: i, from: len(s.folded)})
			}
			open = l.kind == inWord
			if b := l.bare; b < utf8.RuneSelf {
				if 'A' <= b && b <= 'Z' {
					b += 'a' - 'A'
				}
				s.folded = append(s.folded, byte(b))
			} else {
				s.folded = utf8.AppendRune(s.folded, unicode.ToLower(b))
			}
			t := &s.tokens[len(s.tokens)-1]
			t.end, t.to = i+size, len(s.folded)
		case mark:
			if open {
				s.tokens[len(s.tokens)-1].end = i + size
			}
		default:
			open = false
		}
		i += size
	}
}

func (s *splitter) word(i int) []byte { return s.folded[s.tokens[i].from:s.tokens[i].to] }
