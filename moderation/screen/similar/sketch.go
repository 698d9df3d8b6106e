package similar

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	bands    = 20
	rows     = 4
	hashes   = bands * rows
	shingle  = 4 // characters
	maxRunes = 4000
)

// sketch is a text's MinHash: of each of 80 hash functions the least value over its shingles.
// Two texts agree in each place with the probability of their shingles' Jaccard similarity
// (Broder, On the Resemblance and Containment of Documents, 1997).
type sketch [hashes]uint32

// normalize makes one of what readers see as one: small letters without diacritics, digits all
// alike, links by their presence alone, signs and space as one space, repeated letters once.
func normalize(text string) []rune {
	out := make([]rune, 0, min(len(text), maxRunes))
	for _, chunk := range strings.Fields(text) {
		if len(out) >= maxRunes {
			break
		}
		if strings.Contains(chunk, "://") || strings.HasPrefix(strings.ToLower(chunk), "www.") {
			out = space(out)
			out = append(out, '⌁')
			continue
		}
		out = space(out)
		for _, r := range norm.NFKD.String(chunk) {
			out = appendRune(out, r)
		}
	}
	for len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	return out[:min(len(out), maxRunes)]
}

func space(out []rune) []rune {
	if n := len(out); n > 0 && out[n-1] != ' ' {
		return append(out, ' ')
	}
	return out
}

func appendRune(out []rune, r rune) []rune {
	switch {
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		return out
	case r == 'đ' || r == 'Đ':
		r = 'd'
	case unicode.IsDigit(r):
		r = '0'
	case unicode.IsLetter(r):
		r = unicode.ToLower(r)
	default:
		return space(out)
	}
	if n := len(out); n > 0 && out[n-1] == r {
		return out
	}
	return append(out, r)
}

// distinctive is the number of letters and digits that a text has once normalised.
func distinctive(text []rune) int {
	n := 0
	for _, r := range text {
		if r != ' ' {
			n++
		}
	}
	return n
}

// sketchOf hashes each run of four characters once and spreads it over the 80 functions.
func sketchOf(text []rune) sketch {
	var s sketch
	for i := range s {
		s[i] = 1<<32 - 1
	}
	for i := 0; i+shingle <= len(text); i++ {
		h := uint64(14695981039346656037)
		for _, r := range text[i : i+shingle] {
			h = (h ^ uint64(r)) * 1099511628211
		}
		h = mix(h)
		a, b := uint32(h), uint32(h>>32)|1
		for k := range s {
			// Kirsch and Mitzenmacher (2006): two hashes stand for many. The last step
			// keeps the functions from moving together.
			v := a + uint32(k)*b
			v ^= v >> 15
			v *= 0x2c1b3c6d
			v ^= v >> 12
			s[k] = min(s[k], v)
		}
	}
	return s
}

// similarity estimates the Jaccard similarity, 0 to 1; its standard error is 0.06 at the most.
func (s *sketch) similarity(t *sketch) float64 {
	same := 0
	for i := range s {
		if s[i] == t[i] {
			same++
		}
	}
	return float64(same) / hashes
}

// band is the key of one of the 20 rows of four values by which alike texts find each other.
func (s *sketch) band(i int) uint64 {
	h := uint64(i) + 1
	for _, v := range s[i*rows : (i+1)*rows] {
		h = mix(h ^ uint64(v))
	}
	return h
}

// mix is a step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// unquoted leaves out the lines of a text that quote another: those that begin with ">".
func unquoted(text string) string {
	if !strings.Contains(text, ">") {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if r, _ := utf8.DecodeRuneInString(strings.TrimSpace(line)); r != '>' {
			b.WriteString(line)
		}
	}
	return b.String()
}
