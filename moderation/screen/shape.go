package screen

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"duyet/comments"
)

// What makes a text hard to read, or more than it seems.
const (
	emojiMost      = 12   // and more than a third of what is written
	wallLeast      = 1200 // letters without a line break, and hardly a sign that ends a sentence
	wallSentence   = 400  // letters a sentence
	foreignLeast   = 15   // letters
	marksMost      = 2    // combining marks on one letter, after composition
	marksLeast     = 4    // letters that have so many
	hiddenMost     = 3    // invisible characters within words
	stretchedLeast = 8    // of one letter or sign in a row
)

// Shape remarks on floods of emoji ("emoji"), walls of text ("wall") and letters held down
// ("stretched"), and holds what is in another script than the site's ("script"), what turns the
// direction of reading ("bidi"), piles marks on letters ("zalgo") or hides characters in words
// ("hidden").
func Shape() Check {
	return Check{
		Name:  "shape",
		Codes: []string{"emoji", "wall", "stretched", "script", "bidi", "zalgo", "hidden"},
		Look: func(_ context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			s := measure(c.Comment.Content)
			whole := []comments.Place{{Field: "content", End: len(c.Comment.Content)}}
			say := func(bad bool, level comments.Level, code string, places []comments.Place) {
				if bad {
					signals = append(signals, count(level, code, places))
				}
			}
			say(s.emoji > emojiMost && 3*s.emoji > s.letters+s.emoji, comments.LevelInfo, "emoji", whole)
			say(s.letters >= wallLeast && s.breaks == 0 && s.ends*wallSentence < s.letters, comments.LevelInfo, "wall", whole)
			say(s.stretched != nil, comments.LevelInfo, "stretched", s.stretched)
			say(s.foreign >= foreignLeast && 2*s.foreign > s.letters, comments.LevelHold, "script", whole)
			say(s.bidi != nil, comments.LevelHold, "bidi", s.bidi)
			say(len(s.piled) >= marksLeast, comments.LevelHold, "zalgo", s.piled)
			say(len(s.hidden) >= hiddenMost, comments.LevelHold, "hidden", s.hidden)
			return signals, nil
		},
	}
}

// shape is what was counted of a text.
type shape struct {
	letters, foreign, emoji, breaks, ends int
	stretched, bidi, piled, hidden        []comments.Place
}

func measure(text string) (s shape) {
	place := func(from, to int) comments.Place { return comments.Place{Field: "content", Start: from, End: to} }
	var last rune
	run, runAt, marks, letterAt := 0, 0, 0, 0
	endRun := func(to int) {
		if run >= stretchedLeast && (unicode.IsLetter(last) || strings.ContainsRune("!?", last)) {
			s.stretched = append(s.stretched, place(runAt, to))
		}
	}
	for i, r := range text {
		if unicode.ToLower(r) == unicode.ToLower(last) {
			run++
		} else {
			endRun(i)
			run, runAt = 1, i
		}
		switch {
		case unicode.IsLetter(r):
			s.letters++
			letterAt, marks = i, 0
			if r >= 0x250 && !unicode.Is(unicode.Latin, r) {
				s.foreign++
			}
		case unicode.Is(unicode.Mn, r):
			if marks++; marks == marksMost {
				s.piled = append(s.piled, place(letterAt, i+utf8.RuneLen(r)))
			}
		case r == '\n':
			s.breaks++
		case strings.ContainsRune(".!?…。！？", r):
			s.ends++
		case bidiControl(r):
			s.bidi = append(s.bidi, place(i, i+utf8.RuneLen(r)))
		case r >= 0x1F000 || r >= 0x2600 && r < 0x27C0:
			s.emoji++
		case hiddenRune(r) && unicode.IsLetter(last):
			s.hidden = append(s.hidden, place(i, i+utf8.RuneLen(r)))
		}
		last = r
	}
	endRun(len(text))
	return s
}

// bidiControl is a character that turns the direction of what follows; marks that only name
// one, which keyboards for Arabic and Hebrew put in, are none.
func bidiControl(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }

// hiddenRune is an invisible character that joins no emoji.
func hiddenRune(r rune) bool {
	switch r {
	case 0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x200C, 0x2060, 0x3164, 0xFEFF, 0xFFA0:
		return true
	}
	return r >= 0xE0000 && r <= 0xE007F
}
