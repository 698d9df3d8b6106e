package words

import "strings"

// vietnamese reports whether bare letters can be spelt as Vietnamese syllables: an opening
// consonant or none, vowels, a closing consonant or none.
func vietnamese(units []unit) bool {
	for i := 0; i < len(units); {
		j := i + 1
		for j < len(units) && units[j].gap == none {
			j++
		}
		if !syllable(units[i:j]) {
			return false
		}
		i = j
	}
	return true
}

func syllable(units []unit) bool {
	var b strings.Builder
	for _, u := range units {
		b.WriteRune(u.r)
	}
	s := b.String()
	first := strings.IndexAny(s, "aeiouy")
	if first < 0 {
		return true // an abbreviation may stand for anything
	}
	last := strings.LastIndexAny(s, "aeiouy")
	if strings.Trim(s[first:last+1], "aeiouy") != "" || last-first > 2 {
		return false
	}
	switch s[:first] {
	case "", "b", "c", "ch", "d", "g", "gh", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh",
		"p", "ph", "q", "r", "s", "t", "th", "tr", "v", "x":
	default:
		return false
	}
	switch s[last+1:] {
	case "", "c", "ch", "m", "n", "ng", "nh", "p", "t":
		return true
	}
	return false
}
