package comments

import "testing"

func TestFirstStatus(t *testing.T) {
	for _, c := range []struct {
		mode   Mode
		onSpam string
		level  Level // "" = no signal
		want   Status
	}{
		{PreModerated, OnSpamHold, "", Pending},
		{PreModerated, OnSpamHold, LevelSpam, Pending},
		{PreModerated, OnSpamSpam, LevelHold, Pending},
		{PreModerated, OnSpamSpam, LevelSpam, Spam},
		{PostModerated, OnSpamHold, "", Approved},
		{PostModerated, OnSpamHold, LevelInfo, Approved},
		{PostModerated, OnSpamHold, LevelHold, Pending},
		{PostModerated, OnSpamHold, LevelSpam, Pending},
		{PostModerated, OnSpamSpam, LevelHold, Pending},
		{PostModerated, OnSpamSpam, LevelSpam, Spam},
	} {
		var signals []Signal
		if c.level != "" {
			signals = []Signal{{Level: LevelInfo}, {Level: c.level}}
		}
		if got := firstStatus(Settings{Mode: c.mode, OnSpam: c.onSpam}, Page{}, signals, false); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
