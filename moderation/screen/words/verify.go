package words

import "strings"

const (
	maxSigns   = 6 // between two letters of one syllable
	leastLeet  = 3 // letters of an entry that digits may stand in
	leastGlued = 5 // letters of a phrase whose syllables may run together
)

// holds holds a proposal against its pattern: the units from start on, as many as the pattern has
// letters.
func (l *List) holds(p *pattern, units []unit, start int, drawn bool) (Trick, bool) {
	if p.drawn && !drawn {
		return 0, false
	}
	e := &l.entries[p.entry]
	found := units[start : start+len(p.letters)]
	var tricks Trick
	swapped, digits, stretched := 0, 0, false
	for k, u := range found {
		want := p.letters[k]
		if !sameLetter(u, want) {
			return 0, false
		}
		if u.kind == standIn {
			swapped++
			if !u.wasSign {
				digits++
			}
		} else if !p.loose && u.quality != want.quality {
			return 0, false
		}
		if u.run != want.run {
			if u.run < want.run || u.run == 2 && !p.marked {
				return 0, false
			}
			stretched = true
		}
		if k > 0 || u.tricks&Hidden == 0 {
			tricks |= u.tricks
		} else {
			tricks |= u.tricks &^ Hidden
		}
	}
	if drawn && !stretched && !p.drawn && !anyRun(found) {
		return 0, false // the pass before has seen it
	}
	if stretched {
		tricks |= Stretched
	}
	if swapped > 0 && (len(found) < leastLeet || swapped == len(found) || 2*digits > len(found)) {
		return 0, false
	}
	if !p.loose && !sameTones(found, p.letters) {
		return 0, false
	}
	more, ok := edges(p, e, units, start)
	return tricks | more, ok
}

func sameLetter(u, want unit) bool {
	if u.r == want.r {
		return true
	}
	return u.either && strings.IndexByte("il", byte(min(want.r, 0x7f))) >= 0
}

func anyRun(units []unit) bool {
	for _, u := range units {
		if u.run > 1 {
			return true
		}
	}
	return false
}

// sameTones compares the tones of each of the pattern's syllables, wherever in the syllable they
// stand. A digit in place of a letter may have hidden one.
func sameTones(found, want []unit) bool {
	for i := 0; i < len(want); {
		j := i + 1
		for j < len(want) && want[j].gap == none {
			j++
		}
		tone, wanted, hidden := uint8(0), uint8(0), false
		for k := i; k < j; k++ {
			if found[k].tone != 0 {
				if tone != 0 && tone != found[k].tone {
					return false
				}
				tone = found[k].tone
			}
			if want[k].tone != 0 {
				wanted = want[k].tone
			}
			hidden = hidden || found[k].kind == standIn
		}
		if tone != wanted && !(hidden && tone == 0) {
			return false
		}
		i = j
	}
	return true
}

// edges looks at what stands around the match and between its letters.
func edges(p *pattern, e *Entry, units []unit, start int) (Trick, bool) {
	end := start + len(p.letters)
	after := wide
	if end < len(units) {
		after = units[end].gap
	}
	whole := units[start].gap != none && after != none
	if e.Mode == Whole && !whole {
		return 0, false
	}
	var tricks Trick
	for i := start; i < end; {
		j := i + 1
		for j < end && p.letters[j-start].gap == none {
			j++
		}
		if i > start && units[i].stop {
			return 0, false // one clause ends, another begins
		}
		if i > start && units[i].gap == none {
			if len(p.letters) < leastGlued {
				return 0, false
			}
			tricks |= Glued
		}
		cut, ok := split(p, units, i, j)
		if !ok {
			return 0, false
		}
		if cut {
			tricks |= Split
		}
		i = j
	}
	if tricks&Split != 0 && !alone(p, units, start, end, whole) {
		return 0, false
	}
	return tricks, true
}

// split reports whether the syllable of units i to j is cut apart, and whether it is in a way
// that people don't write by chance: by signs, or by space into single letters.
func split(p *pattern, units []unit, i, j int) (cut, ok bool) {
	for k := i + 1; k < j; k++ {
		switch {
		case units[k].gap == none:
			continue
		case units[k].signs > maxSigns:
			return true, false
		case units[k].gap == wide:
			if !single(units, i, j) {
				return true, false
			}
		case !p.marked && !single(units, i, j) && len(p.letters) < 4:
			return true, false
		}
		cut = true
	}
	if cut && !p.marked && len(p.letters) < 3 {
		return true, false
	}
	return cut, true
}

// single reports whether each of the units stands by itself.
func single(units []unit, i, j int) bool {
	for k := i; k < j; k++ {
		if units[k].gap == none || k+1 < len(units) && units[k+1].gap == none {
			return false
		}
	}
	return true
}

// alone reports whether a match of letters cut apart is all there is: without diacritics to tell
// it from chance it must not be part of a longer row of single letters or of a dotted name.
func alone(p *pattern, units []unit, start, end int, whole bool) bool {
	if !whole {
		return false
	}
	if p.marked {
		return true
	}
	if units[start].gap != wide || end < len(units) && units[end].gap != wide {
		return false
	}
	spaced := false
	for k := start + 1; k < end; k++ {
		spaced = spaced || units[k].gap == wide && p.letters[k-start].gap == none
	}
	if !spaced {
		return true
	}
	before := start > 0 && units[start-1].gap != none // the unit before is a word of one letter
	behind := end < len(units) && (end+1 == len(units) || units[end+1].gap != none)
	return !before && !behind
}
