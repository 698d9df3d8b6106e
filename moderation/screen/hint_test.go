package screen

import (
	"testing"

	"duyet/comments"
)

// TestHintNudges: what a list tells its readers reaches them before they send.
func TestHintNudges(t *testing.T) {
	h := newHouse(t)
	lists := NewLists(h.desk())
	h.db.Observe(lists.Observe)
	_, err := lists.Put(t.Context(), boss, WordList{
		Site: "bao", Name: "Nhắc", Action: HintWords, Hint: "Xin gọi nhau tử tế hơn.", Entries: []Entry{{Text: "đồ ngốc"}},
	})
	h.must(err)
	c := saying("Anh đúng là đồ ngốc")[0]
	signals, err := Ruled{Default(lists.Check()), nil}.Nudge(t.Context(), c)
	if err != nil || len(signals) != 1 || signals[0].Args["hint"] != "Xin gọi nhau tử tế hơn." || signals[0].Level != comments.LevelHold {
		t.Errorf("%+v, %v", signals, err)
	}
}
