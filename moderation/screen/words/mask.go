package words

import "math/bits"

// A word with stars for some of its letters is looked up by walking the automaton's tree, any
// child serving for a star. Its first and last letters must stand, or it could be anything.
const (
	maxStars   = 4
	leastLeft  = 2  // letters that stand
	leastStars = 3  // letters of the entry
	mostMasked = 32 // words with stars that are looked up in one text
)

func (l *List) findMasked(r *reading) {
	masked := 0
	for i := 0; i < len(r.plainly) && masked < mostMasked; {
		j, stars := i+1, 0
		for j < len(r.plainly) && joined(r.plainly[j]) {
			stars += int(r.plainly[j].stars)
			j++
		}
		if stars > 0 && stars <= maxStars && j-i >= leastLeft && j-i+stars >= leastStars {
			masked++
			l.walk(r, r.plainly[i:j], 0, 0, make([]int, 0, MaxLetters))
		}
		i = j
	}
}

// joined reports whether nothing, or stars alone, stands before u.
func joined(u unit) bool { return u.gap == none || u.gap == sign && u.stars == u.signs }

// walk goes on from a node with the letters that are left. places says where in the entry each
// letter seen so far stands.
func (l *List) walk(r *reading, word []unit, at int32, depth int, places []int) {
	seen := len(places)
	if seen == len(word) {
		for p := l.auto.nodes[at].pattern; p >= 0; p = l.auto.next[p] {
			if pat := &l.patterns[p]; len(pat.letters) == depth && fits(pat, word, places) {
				r.found = append(r.found, Match{pat.entry, int(word[0].start), int(word[len(word)-1].end), Masked})
			}
		}
		return
	}
	u := word[seen]
	level := []int32{at}
	if seen > 0 {
		for range u.stars {
			var deeper []int32
			for _, n := range level {
				for k := range int32(bits.OnesCount64(l.auto.nodes[n].children)) {
					deeper = append(deeper, l.auto.nodes[n].first+k)
				}
			}
			level = deeper
			depth++
		}
	}
	for _, n := range level {
		if to, ok := l.auto.child(n, u.class()); ok {
			l.walk(r, word, to, depth+1, append(places, depth))
		}
	}
}

// fits compares the letters that stand with those of the pattern.
func fits(p *pattern, word []unit, places []int) bool {
	if p.drawn {
		return false
	}
	found := make([]unit, len(p.letters))
	for k := range found {
		found[k] = unit{r: p.letters[k].r, kind: standIn}
	}
	for i, at := range places {
		found[at] = word[i]
		want := p.letters[at]
		if !sameLetter(word[i], want) || !p.loose && word[i].quality != want.quality {
			return false
		}
	}
	return p.loose || sameTones(found, p.letters)
}
