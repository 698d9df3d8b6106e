package redteam

import (
	"slices"
	"testing"

	"duyet/moderation/screen/words"
)

// Floors that the finder of this tree holds. Raise them when it gets better.
const (
	leastCaught      = 0.98
	mostFalseAlarms  = 0.01
	leastObfuscation = 200
)

func load(t testing.TB) (Suite, *words.List) {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	l, err := words.Compile(s.List)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func TestWordsAgainstTheSuite(t *testing.T) {
	s, l := load(t)
	r := s.Run(Finder(l))
	if r.Disguised < leastObfuscation {
		t.Errorf("only %d obfuscations", r.Disguised)
	}
	t.Logf("caught %d of %d (%.1f %%), false alarms on %d of %d harmless texts (%.1f %%)",
		r.Caught, r.Disguised, 100*r.CatchRate(), r.FalseAlarms, r.Harmless, 100*r.FalseAlarmRate())
	for _, c := range r.Missed {
		t.Logf("missed %q (%s, %s)", c.Text, c.Entry, c.Trick)
	}
	for _, c := range r.Alarmed {
		var names []string
		for _, i := range Finder(l)(c.Text) {
			names = append(names, s.List[i].Text)
		}
		t.Logf("false alarm %q: %q", c.Text, names)
	}
	if r.CatchRate() < leastCaught || r.FalseAlarmRate() > mostFalseAlarms {
		t.Error("under the floor")
	}
}

func TestSuiteIsSound(t *testing.T) {
	s, _ := load(t)
	names := map[string]bool{}
	for _, e := range s.List {
		if names[e.Text] {
			t.Errorf("entry %q stands twice", e.Text)
		}
		names[e.Text] = true
	}
	seen := map[string]bool{}
	for _, c := range slices.Concat(s.Disguise, s.Harmless) {
		if seen[c.Text] {
			t.Errorf("text %q stands twice", c.Text)
		}
		seen[c.Text] = true
		if c.Entry != "" && !names[c.Entry] {
			t.Errorf("%q should be found as %q, which is no entry", c.Text, c.Entry)
		}
	}
}

func TestRunCounts(t *testing.T) {
	s := Suite{
		List:     []words.Entry{{Text: "a"}, {Text: "b"}},
		Disguise: []Case{{Trick: "x", Entry: "a", Text: "1"}, {Trick: "x", Entry: "b", Text: "2"}},
		Harmless: []Case{{Text: "3"}, {Text: "4"}},
	}
	r := s.Run(func(text string) []int {
		return map[string][]int{"1": {0}, "2": {0, 7, -1}, "3": {1}}[text]
	})
	if r.Caught != 1 || r.FalseAlarms != 1 || r.ByTrick["x"] != (Tally{2, 1}) || len(r.Missed) != 1 || r.Missed[0].Text != "2" {
		t.Errorf("%+v", r)
	}
	if r.CatchRate() != 0.5 || r.FalseAlarmRate() != 0.5 || (Report{}).CatchRate() != 0 {
		t.Errorf("rates %v %v", r.CatchRate(), r.FalseAlarmRate())
	}
}
