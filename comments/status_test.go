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

// TestBannedIsSpam: what a ban or a rule takes for spam goes there whatever the site does
// with what a check takes for it.
func TestBannedIsSpam(t *testing.T) {
	for _, check := range []string{CheckBan, CheckRule} {
		for _, mode := range []Mode{PreModerated, PostModerated} {
			set := Settings{Mode: mode, OnSpam: OnSpamHold}
			if got := firstStatus(set, Page{}, []Signal{{Check: check, Level: LevelSpam}}, false); got != Spam {
				t.Errorf("%s, %s: %s", check, mode, got)
			}
			if got := firstStatus(set, Page{}, []Signal{{Check: check, Level: LevelHold}}, false); got != Pending {
				t.Errorf("%s holds, %s: %s", check, mode, got)
			}
		}
	}
}
