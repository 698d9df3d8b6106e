package screen

import (
	"testing"

	"duyet/comments"
)

func TestWork(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    comments.Candidate
		want string
	}{
		{"in peace", comments.Candidate{}, ""},
		{"in peace, and it could not be looked at", comments.Candidate{Work: comments.WorkUnknown}, ""},
		{"under attack", comments.Candidate{Attack: true}, "missing"},
		{"under attack, with work", comments.Candidate{Attack: true, Work: comments.WorkDone}, ""},
		{"under attack, and it could not be looked at", comments.Candidate{Attack: true, Work: comments.WorkUnknown}, NotChecked},
		{"over the limit", comments.Candidate{Over: true, Work: comments.WorkDone}, "over"},
	} {
		found, err := New(Work()).Screen(t.Context(), tt.c)
		got := ""
		for _, s := range found.Signals {
			got += s.Code
			if s.Level != comments.LevelHold || s.Check != "work" {
				t.Errorf("%s: %+v", tt.name, s)
			}
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}
