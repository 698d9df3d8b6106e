package screen

import (
	"testing"

	"duyet/comments"
)

// TestNudge tells of what is the author's to mend, and not of what only a moderator sees.
func TestNudge(t *testing.T) {
	for content, want := range map[string]string{
		"một lá thư":                                "",
		"xem https://a.example":                     "",
		"a.com b.com c.com https://d.vn":            "links",
		"CMND 012345678, CCCD 001099012345 của tôi": "personal",
	} {
		c := saying(content)[0]
		c.Trap, c.Attack = "x", true
		signals, err := Ruled{Default(), nil}.Nudge(t.Context(), c)
		got := ""
		if len(signals) > 0 {
			got = signals[0].Check
		}
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", content, signals, err)
		}
		for _, s := range signals {
			if s.Level == comments.LevelSpam {
				t.Errorf("%+v", s)
			}
		}
	}
}
