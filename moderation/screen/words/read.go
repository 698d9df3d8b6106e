package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	letter kind = iota
	digit
	symbol  // a sign that may stand for a letter; elsewhere it parts words like any other
	standIn // a digit or sign read as a letter
)

// gap is what stands between a unit and the one before it.
type gap uint8

const (
	none gap = iota
	sign     // signs alone
	wide     // space, or an end of the text
)

// unit is a letter as it is read: bare and small, its diacritics beside it.
type unit struct {
	r          rune
	start, end int32 // bytes of the text, marks included
	kind       kind
	quality    uint8
	tone       uint8
	gap        gap
	signs      uint8 // how many in the gap
	stars      uint8 // how many of them are stars
	stop       bool  // the gap ends a clause: ", " or ". "
	wasSign    bool  // a stand-in that was no digit
	run        uint8 // letters drawn together in it
	either     bool  // i or l: a look-alike of both
	alike      rune  // the letter it looks like, or 0
	tricks     Trick
}

// class is the unit's symbol in the automaton: 0 to 63. i and l share one, since 1 and | may be
// either; scripts beyond ours share the last ones, and proposals are held against the entry anyway.
func (u unit) class() uint8 {
	switch {
	case u.r == 'l':
		return 'i' - 'a'
	case u.r >= 'a' && u.r <= 'z':
		return uint8(u.r - 'a')
	case u.r >= '0' && u.r <= '9':
		return uint8(26 + u.r - '0')
	}
	return uint8(36 + u.r%28)
}

// reading is a text taken apart, with the scratch of one search.
type reading struct {
	units   []unit
	symbols bool // some unit is a symbol
	digits  bool
	stars   bool // some star stands in the text
	foreign bool // some unit looks like another letter

	gap    gap
	signs  uint8
	inGap  uint8 // stars
	stop   bool
	hidden bool

	plainly, spare, drawn []unit
	found                 []Match
}

func (r *reading) read(text string) {
	*r = reading{units: r.units[:0], plainly: r.plainly, spare: r.spare, drawn: r.drawn, found: r.found, gap: wide}
	for at := 0; at < len(text); {
		if c := text[at]; c < utf8.RuneSelf {
			r.rune(rune(c), at, at+1, 0)
			at++
			continue
		}
		c, n := utf8.DecodeRuneInString(text[at:])
		end := at + n
		switch {
		case invisible(c):
			r.hidden = true
		case isD(c):
			r.rune('d', at, end, 0)
			r.units[len(r.units)-1].quality = stroke
		case lookalike(c) != 0:
			r.rune(c, at, end, 0)
		default:
			parts, other := decompose(text[at:end])
			var tricks Trick
			if other {
				tricks = Lookalike
			}
			if parts == "" {
				r.rune(c, at, end, 0)
			}
			for _, p := range parts {
				r.rune(p, at, end, tricks)
			}
		}
		at = end
	}
	if r.foreign {
		r.unmask()
	}
}

// rune takes in one rune of the text or of its decomposition.
func (r *reading) rune(c rune, start, end int, tricks Trick) {
	if c < utf8.RuneSelf {
		switch {
		case c >= 'a' && c <= 'z':
			r.add(unit{r: c, kind: letter, tricks: tricks}, start, end)
		case c >= 'A' && c <= 'Z':
			r.add(unit{r: c + 'a' - 'A', kind: letter, tricks: tricks}, start, end)
		case c >= '0' && c <= '9':
			r.digits = true
			r.add(unit{r: c, kind: digit, tricks: tricks}, start, end)
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
			r.gap, r.hidden = wide, false
		default:
			r.sign(c, start, end)
		}
		return
	}
	switch {
	case isMark(c):
		r.mark(c, end)
	case unicode.IsSpace(c):
		r.gap, r.hidden = wide, false
	case unicode.IsLetter(c) || lookalike(c) != 0:
		alike := lookalike(c)
		r.foreign = r.foreign || alike != 0
		r.add(unit{r: unicode.ToLower(c), alike: alike, kind: letter, tricks: tricks}, start, end)
	case unicode.IsDigit(c):
		r.add(unit{r: c, kind: digit, tricks: tricks}, start, end)
	default:
		r.sign(c, start, end)
	}
}

func (r *reading) add(u unit, start, end int) {
	u.start, u.end, u.run = int32(start), int32(end), 1
	u.gap, u.signs, u.stars = r.gap, r.signs, r.inGap
	u.stop = r.stop && r.gap == wide
	if r.hidden && r.gap == none {
		u.tricks |= Hidden
	}
	r.gap, r.signs, r.inGap, r.stop, r.hidden = none, 0, 0, false, false
	r.units = append(r.units, u)
}

func (r *reading) sign(c rune, start, end int) {
	if isStar(c) {
		r.stars = true
		r.inGap = min(r.inGap+1, 250)
	}
	if leetLetters(c) != "" {
		r.symbols = true
		r.add(unit{r: c, kind: symbol}, start, end)
		return
	}
	r.gap = max(r.gap, sign)
	r.signs = min(r.signs+1, 250)
	r.stop = r.stop || endsClause(c)
}

func endsClause(c rune) bool {
	switch c {
	case '.', ',', ';', ':', '!', '?', '…':
		return true
	}
	return false
}

// mark puts a combining mark on the letter right before it.
func (r *reading) mark(c rune, end int) {
	if len(r.units) == 0 || r.gap != none {
		return
	}
	u := &r.units[len(r.units)-1]
	u.end = int32(end)
	quality, tone := mark(c)
	if u.quality == 0 {
		u.quality = quality
	}
	if u.tone == 0 {
		u.tone = tone
	}
	if c == '\u0335' && u.r == 'd' { // a short stroke through d passes for đ
		u.quality = stroke
	}
}

// unmask puts Latin letters for their look-alikes, in words that mix scripts and, where the text
// is mostly Latin, in all. A Russian sentence stays Russian.
func (r *reading) unmask() {
	latin, foreign := 0, 0
	for _, u := range r.units {
		if u.kind == letter {
			if latinish(u.r) {
				latin++
			} else {
				foreign++
			}
		}
	}
	for i := 0; i < len(r.units); {
		j, own := i, false
		for j == i || j < len(r.units) && r.units[j].gap == none {
			own = own || r.units[j].kind == letter && latinish(r.units[j].r)
			j++
		}
		if own || latin > foreign {
			for k := i; k < j; k++ {
				u := &r.units[k]
				if u.alike != 0 {
					u.either = u.alike == 'l' || u.alike == 'i'
					u.r = u.alike
					u.tricks |= Lookalike
				}
			}
		}
		i = j
	}
}

// latinish reports whether r is Latin or a symbol of no script that stands for a letter.
func latinish(r rune) bool { return unicode.In(r, unicode.Latin, unicode.Common) }

// parting gathers what lies between two units that are kept.
type parting struct {
	gap   gap
	signs uint8
	stop  bool
}

// drop makes a symbol part of the gap.
func (p *parting) drop(u unit) {
	p.gap = max(p.gap, u.gap, sign)
	p.signs = min(p.signs+u.signs+1, 250)
	p.stop = p.stop || u.stop || endsClause(u.r)
}

// keep gives u the gap gathered before it.
func (p *parting) keep(u unit) unit {
	u.gap = max(u.gap, p.gap)
	u.signs = min(u.signs+p.signs, 250)
	u.stop = (u.stop || p.stop) && u.gap == wide
	*p = parting{}
	return u
}

// plain appends the units with signs as gaps.
func (r *reading) plain(dst []unit) []unit {
	if !r.symbols {
		return append(dst, r.units...)
	}
	var between parting
	for _, u := range r.units {
		if u.kind == symbol {
			between.drop(u)
		} else {
			dst = append(dst, between.keep(u))
		}
	}
	return dst
}

// leet appends the units with digits and signs read as letters, wherever some letter stands
// between the same two spaces. changed tells whether there was any such.
func (r *reading) leet(dst []unit) (out []unit, changed bool) {
	var between parting
	for i := 0; i < len(r.units); {
		j, letters := i, false
		for j == i || j < len(r.units) && r.units[j].gap != wide {
			letters = letters || r.units[j].kind == letter
			j++
		}
		for k := i; k < j; k++ {
			u := r.units[k]
			to := ""
			if letters && u.kind != letter {
				to = leetLetters(u.r)
			}
			inner := k > i && u.gap == none && k+1 < j && r.units[k+1].gap == none
			if !inner && strings.ContainsRune("!|+", u.r) {
				to = "" // at a word's edge these are what they are
			}
			if to == "" && u.kind == symbol {
				between.drop(u)
				continue
			}
			if to != "" {
				changed = true
				u.wasSign = u.kind == symbol
				u.kind, u.r, u.either = standIn, rune(to[0]), len(to) > 1
				u.tricks |= Leet
			}
			dst = append(dst, between.keep(u))
		}
		i = j
	}
	return dst, changed
}

// draw appends units with each run of one letter drawn together into its first, letters parted by
// signs ("t.t.t") among them. What follows in a run may have the same diacritics or none.
func draw(dst, units []unit) []unit {
	for i, u := range units {
		if n := len(dst); n > 0 && repeats(dst[n-1], units, i) {
			last := &dst[n-1]
			last.run = min(last.run+1, 250)
			last.end = u.end
			last.tricks |= u.tricks
			if last.quality == 0 && last.tone == 0 { // "looồn"
				last.quality, last.tone = u.quality, u.tone
			}
			continue
		}
		dst = append(dst, u)
	}
	return dst
}

func repeats(last unit, units []unit, i int) bool {
	u := units[i]
	if u.kind != letter || last.kind != letter && last.kind != standIn || !sameLetter(last, u) {
		return false
	}
	if u.gap != none {
		dotted := u.gap == sign && units[i-1].gap != none && (i+1 == len(units) || units[i+1].gap != none)
		if !dotted {
			return false
		}
	}
	bare := u.quality == 0 && u.tone == 0
	same := u.quality == last.quality && (u.tone == 0 || u.tone == last.tone)
	return bare || same || last.quality == 0 && last.tone == 0
}
