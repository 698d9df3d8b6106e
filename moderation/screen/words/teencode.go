package words

import "slices"

// teenWords are whole words of teencode and what they stand for.
func teenWord(s string) string {
	switch s {
	case "k", "ko", "kh", "hok", "hk", "khum", "hong", "hông", "kg", "khg", "khog":
		return "không"
	case "j":
		return "gì"
	case "dj":
		return "đi"
	case "z", "v":
		return "vậy"
	case "dc", "đc", "dk", "đk":
		return "được"
	case "bit", "bít", "bjt", "bik", "bk":
		return "biết"
	case "mik", "mk":
		return "mình"
	case "ng", "nguoi":
		return "người"
	case "wa", "wá":
		return "quá"
	case "iu", "êu":
		return "yêu"
	case "ny":
		return "người yêu"
	case "r":
		return "rồi"
	case "vs":
		return "với"
	case "loz", "lìn":
		return "lồn"
	case "cak", "kak", "kac", "cax", "kax":
		return "cặc"
	case "mia", "mja", "mie", "mịa":
		return "mẹ"
	}
	return ""
}

// teencode appends units with each word of teencode spelt out: whole words by the table above,
// others by the habits of its spelling. A letter spelt out stands where its word stands. changed
// tells whether there was any such.
func teencode(dst, units []unit) (out []unit, changed bool) {
	for i := 0; i < len(units); {
		j := i + 1
		for j < len(units) && units[j].gap == none {
			j++
		}
		word := units[i:j]
		var spelt bool
		if dst, spelt = spellOut(dst, word); spelt {
			changed = true
		} else {
			dst = append(dst, word...)
		}
		i = j
	}
	return dst, changed
}

const longestTeen = 8 // letters

func spellOut(dst, word []unit) ([]unit, bool) {
	if len(word) > longestTeen {
		return dst, false
	}
	for _, u := range word {
		if u.kind != letter {
			return dst, false
		}
	}
	if full := teenWord(spelling(word)); full != "" {
		var r reading
		r.read(full)
		for k, u := range r.units {
			u.start, u.end, u.tricks = word[0].start, word[len(word)-1].end, word[0].tricks|Teen
			if k == 0 {
				u.gap, u.signs = word[0].gap, word[0].signs
			}
			dst = append(dst, u)
		}
		return dst, true
	}
	return respell(dst, word)
}

// spelling is a word's letters and tones as text, for the table.
func spelling(word []unit) string {
	var buf [4 * longestTeen]byte
	b := buf[:0]
	for _, u := range word {
		switch {
		case u.r == 'd' && u.quality == stroke:
			b = append(b, "đ"...)
		case u.r == 'o' && u.quality == circumflex && u.tone == 0:
			b = append(b, "ô"...)
		case u.r == 'e' && u.quality == circumflex && u.tone == 0:
			b = append(b, "ê"...)
		case u.r == 'a' && u.quality == 0 && u.tone == 2:
			b = append(b, "á"...)
		case u.r == 'i' && u.tone == 1:
			b = append(b, "ì"...)
		case u.r == 'i' && u.tone == 2:
			b = append(b, "í"...)
		case u.r == 'i' && u.tone == 5:
			b = append(b, "ị"...)
		case u.quality != 0 || u.tone != 0:
			return ""
		default:
			b = append(b, string(u.r)...)
		}
	}
	return string(b)
}

// respell undoes the habits that respelt knows.
func respell(dst, word []unit) ([]unit, bool) {
	first, changed := len(dst), false
	for k := 0; k < len(word); k++ {
		to, used := respelt(word, k)
		if used == 0 {
			dst = append(dst, word[k])
			continue
		}
		changed = true
		for i, r := range to {
			u := word[k]
			u.r, u.tricks = r, u.tricks|Teen
			if i > 0 {
				u.gap, u.signs = none, 0
			}
			if i < len(to)-1 {
				u.quality, u.tone = 0, 0
			}
			dst = append(dst, u)
		}
		k += used - 1
	}
	if !changed {
		return slices.Delete(dst, first, len(dst)), false
	}
	return dst, true
}

// respelt is what stands for the letters of word from k on and how many of them, none when they
// stand for themselves: f for ph, w for qu, z and dz for d, j for i or gi, k for c, ck for ch, nk
// for nh, q for g after n, z for nothing at a word's end.
func respelt(word []unit, k int) (to string, used int) {
	at := func(k int) rune {
		if k < 0 || k >= len(word) {
			return 0
		}
		return word[k].r
	}
	before, after, last := at(k-1), at(k+1), k == len(word)-1
	switch word[k].r {
	case 'f':
		if k == 0 {
			return "ph", 1
		}
	case 'w':
		if k == 0 {
			return "qu", 1
		}
		return "u", 1
	case 'z':
		if k == 0 {
			return "d", 1
		}
		if last && len(word) > 2 {
			return "", 1
		}
	case 'd':
		if k == 0 && after == 'z' {
			return "d", 2
		}
	case 'j':
		switch {
		case k > 0:
			return "i", 1
		case after == 'i':
			return "g", 1
		}
		return "gi", 1
	case 'k':
		switch {
		case k == 0 && (after == 'a' || after == 'o' || after == 'u'), last && vowel(before):
			return "c", 1
		case k == 1 && before == 'c', last && before == 'n':
			return "h", 1
		}
	case 'q':
		if before == 'n' {
			return "g", 1
		}
	}
	return "", 0
}

func vowel(r rune) bool {
	switch r {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		return true
	}
	return false
}
