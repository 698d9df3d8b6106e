// Package words finds a list's words and phrases in a text, however they were dressed up: other
// case, other spelling of diacritics, letters spaced or dotted apart, stretched, swapped for
// digits or for look-alikes of other scripts, invisible characters, teencode, and stars.
//
// A text is read once into letters that know their diacritics and where they came from; an
// Aho–Corasick automaton (Aho and Corasick, CACM 1975) over bare letters proposes, and each
// proposal is then held against the entry letter by letter: diacritics, edges of syllables, and
// what lies between the letters. So the time is linear in the text, whatever the list's length.
//
// It decides nothing about a match, and it knows no words of its own.
package words

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// MaxLetters is the most letters an entry may have; spaces and signs don't count.
const MaxLetters = 64

// ErrEntry tells of an entry without a letter, or with more than MaxLetters.
var ErrEntry = errors.New("bad entry")

// Mode says where an entry may stand.
type Mode uint8

const (
	// Whole matches whole syllables: nothing but space, signs or the text's ends around it.
	Whole Mode = iota
	// Inside matches within words too. Scripts written without spaces need it.
	Inside
)

// Entry is a word or phrase to find.
type Entry struct {
	// Text is the word as it is written. Its diacritics are respected: "lớn" finds no "lon",
	// "lon" no "lớn". The tone may stand on either vowel: "hoà" is "hòa". What can be no
	// Vietnamese syllable is no other word with diacritics, so there they are let be.
	Text string
	Mode Mode
	// Loose lets diacritics be, the entry's and the text's.
	Loose bool
	// Allow makes it an exception: what other entries match wholly within an undisguised match
	// of this one is let be.
	Allow bool
}

// Trick says how a match was disguised. They add up.
type Trick uint16

// The tricks that are seen through.
const (
	Lookalike Trick = 1 << iota // letters of other scripts or styles
	Hidden                      // invisible characters between letters
	Split                       // space or signs between the letters of a syllable
	Glued                       // syllables run together
	Stretched                   // letters repeated
	Leet                        // digits or signs for letters
	Teen                        // teencode spelling
	Masked                      // stars for letters
)

// Match is where an entry stands in a text.
type Match struct {
	Entry      int // number in the list that was compiled
	Start, End int // bytes of the text
	Tricks     Trick
}

// List is compiled entries. It is safe for concurrent use and never changes.
type List struct {
	entries  []Entry
	patterns []pattern
	auto     automaton
	scratch  sync.Pool // *reading
}

// pattern is an entry's letters, as written or with repeated letters drawn together.
type pattern struct {
	entry   int
	letters []unit
	drawn   bool // repeated letters are drawn together
	loose   bool // diacritics are let be
	marked  bool // they are respected, and there are some
}

// Compile makes a List. Errors wrap ErrEntry and name the entry's number. The list may be empty.
// Ten thousand entries take some 5 MB.
func Compile(entries []Entry) (*List, error) {
	l := &List{entries: slices.Clone(entries)}
	l.scratch.New = func() any { return new(reading) }
	var r reading
	for i, e := range entries {
		r.read(e.Text)
		plain := slices.DeleteFunc(slices.Clone(r.units), func(u unit) bool { return u.kind == symbol })
		if len(plain) == 0 || len(plain) > MaxLetters {
			return nil, fmt.Errorf("entry %d has %d letters, not 1 to %d: %w", i, len(plain), MaxLetters, ErrEntry)
		}
		if len(plain) < len(r.units) {
			// A sign between two letters parts them, as in the text.
			plain = r.plain(nil)
		}
		p := pattern{entry: i, letters: plain}
		dressed := slices.ContainsFunc(plain, func(u unit) bool { return u.quality != 0 || u.tone != 0 })
		p.loose = e.Loose || !dressed && !vietnamese(plain)
		p.marked = dressed && !p.loose
		l.patterns = append(l.patterns, p)
		if drawn := draw(nil, plain); len(drawn) < len(plain) {
			p.letters, p.drawn = drawn, true
			l.patterns = append(l.patterns, p)
		}
	}
	l.auto = newAutomaton(l.patterns)
	return l, nil
}

// Len is the number of entries.
func (l *List) Len() int { return len(l.entries) }

// Find gives all matches by where they stand, each entry at most once at a place, exceptions
// left out.
func (l *List) Find(text string) []Match {
	if len(l.patterns) == 0 {
		return nil
	}
	r := l.scratch.Get().(*reading)
	defer l.scratch.Put(r)
	r.read(text)
	r.found = r.found[:0]

	r.plainly = r.plain(r.plainly[:0])
	l.passes(r, r.plainly)
	if r.symbols || r.digits {
		if leet, changed := r.leet(r.spare[:0]); changed {
			r.spare = leet
			l.passes(r, leet)
		}
	}
	if teen, changed := teencode(r.spare[:0], r.plainly); changed {
		r.spare = teen
		l.passes(r, teen)
	}
	if r.stars {
		l.findMasked(r)
	}
	return l.settle(r.found)
}

// passes looks through units as they are, and with repeated letters drawn together.
func (l *List) passes(r *reading, units []unit) {
	l.pass(r, units, false)
	r.drawn = draw(r.drawn[:0], units)
	if len(r.drawn) < len(units) {
		l.pass(r, r.drawn, true)
	}
}

func (l *List) pass(r *reading, units []unit, drawn bool) {
	node := int32(0)
	for i, u := range units {
		node = l.auto.step(node, u.class())
		for at := l.auto.hit(node); at >= 0; at = l.auto.shorter(at) {
			for p := l.auto.nodes[at].pattern; p >= 0; p = l.auto.next[p] {
				pat := &l.patterns[p]
				start := i + 1 - len(pat.letters)
				if tricks, ok := l.holds(pat, units, start, drawn); ok {
					r.found = append(r.found, Match{pat.entry, int(units[start].start), int(u.end), tricks})
				}
			}
		}
	}
}

// settle orders matches, keeps the least disguised of those of one entry at one place, and
// leaves out the exceptions and what lies within them.
func (l *List) settle(found []Match) []Match {
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(a.Start-b.Start, a.Entry-b.Entry, int(a.Tricks)-int(b.Tricks), b.End-a.End)
	})
	found = slices.CompactFunc(found, func(a, b Match) bool { return a.Start == b.Start && a.Entry == b.Entry })
	var allowed []Match
	for _, m := range found {
		if l.entries[m.Entry].Allow && m.Tricks == 0 {
			allowed = append(allowed, m)
		}
	}
	var out []Match
	reach := 0 // the furthest end of the exceptions that begin before the match at hand
	next := 0
	for _, m := range found {
		for next < len(allowed) && allowed[next].Start <= m.Start {
			reach = max(reach, allowed[next].End)
			next++
		}
		if !l.entries[m.Entry].Allow && m.End > reach {
			out = append(out, m)
		}
	}
	return out
}
