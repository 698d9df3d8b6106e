package screen

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/moderation/screen/learn"
)

func (h *house) learner() *Learner {
	h.Helper()
	l := NewLearner(LearnerConfig{Desk: h.desk(), Journal: h.db, Comments: h.db, Log: slog.New(slog.DiscardHandler)})
	h.db.Observe(l.Observe)
	return l
}

// risk is what a learner makes of a content, having followed the journal.
func (h *house) risk(l *Learner, content string) (uint16, []comments.Signal) {
	h.Helper()
	if _, err := l.pupilOf(h.Context(), "bao"); err != nil {
		h.Fatal(err)
	}
	h.must(l.CatchUp(h.Context()))
	found, err := New(l.Check()).Screen(h.Context(), h.candidate(content))
	h.must(err)
	return found.Risk, found.Signals
}

// newsroom decides on so many comments: advertising is spam, the rest is approved.
func (h *house) newsroom(n int) (decided []comments.Comment) {
	h.Helper()
	for i := range n {
		if i%3 == 0 {
			decided = append(decided, h.decide(h.post(fmt.Sprintf("Vay nhanh lãi thấp, liên hệ zalo số %d ngay", i), comments.Pending), comments.Spam))
		} else {
			decided = append(decided, h.decide(h.post(fmt.Sprintf("Bài %d viết hay, cảm ơn tòa soạn đã nói hộ người dân", i), comments.Pending), comments.Approved))
		}
	}
	return decided
}

const ad = "Ai cần vay nhanh thì liên hệ zalo nhé"

func TestLearnsFromDecisions(t *testing.T) {
	h := newHouse(t)
	l := h.learner()
	if risk, signals := h.risk(l, ad); risk != 0 || signals != nil {
		t.Errorf("before any decision: %d, %+v", risk, signals)
	}
	h.newsroom(60)
	risk, signals := h.risk(l, ad)
	if risk < 500 || len(signals) != 1 || signals[0].Code != "risk" || signals[0].Level != comments.LevelInfo {
		t.Fatalf("advertising: %d, %+v", risk, signals)
	}
	if !strings.Contains(signals[0].Args["words"], "vay") || len(signals[0].Places) == 0 {
		t.Errorf("the words that drove it: %+v", signals[0])
	}
	content := h.candidate(ad).Comment.Content
	for _, p := range signals[0].Places {
		if p.Field == "content" && (p.Start < 0 || p.End > len(content)) {
			t.Errorf("place %+v", p)
		}
	}
	if risk, signals := h.risk(l, "Cảm ơn tòa soạn, bài hay"); risk == 0 || risk > 300 || signals != nil {
		t.Errorf("thanks: %d, %+v", risk, signals)
	}
}

// TestUndoIsUnlearnt at once, and what the author or the program does is no decision.
func TestUndoIsUnlearnt(t *testing.T) {
	h := newHouse(t)
	l := h.learner()
	decided := h.newsroom(60)
	h.risk(l, ad)
	p := l.site["bao"]
	if p.model.Learnt() != 60 {
		t.Fatalf("%d learnt of 60", p.model.Learnt())
	}
	for _, c := range decided {
		if c.Status == comments.Spam {
			h.decide(c, comments.Pending)
		}
	}
	h.post("đăng ngay", comments.Approved)
	if risk, _ := h.risk(l, ad); p.model.Learnt() != 40 || risk > 400 {
		t.Errorf("%d learnt after 20 were undone, advertising at %d", p.model.Learnt(), risk)
	}
}

// TestStateIsATakenStep: another node, or this one after a restart, goes on where the state
// that was written ends, and comes to the same.
func TestStateIsGoneOnFrom(t *testing.T) {
	h := newHouse(t)
	l := h.learner()
	h.newsroom(50)
	h.risk(l, ad)
	h.must(l.Save(t.Context(), 1))
	h.newsroom(20)
	want, _ := h.risk(l, ad)
	next, rebuilt := h.learner(), h.learner()
	if got, _ := h.risk(next, ad); got != want {
		t.Errorf("after the state: %d, want %d", got, want)
	}
	d, err := h.store.Document(t.Context(), "bao", KindModel, modelState)
	h.must(err)
	d.Data = []byte("what is left of a model")
	_, err = h.store.PutDocument(t.Context(), d, "")
	h.must(err)
	if got, _ := h.risk(rebuilt, ad); got != want {
		t.Errorf("made anew from the journal: %d, want %d", got, want)
	}
	h.must(next.Save(t.Context(), 1)) // over what another has written since
	h.must(next.Save(t.Context(), 1))
}

func TestTaught(t *testing.T) {
	h := newHouse(t)
	l := h.learner()
	var examples []learn.Example
	for i := range 200 {
		examples = append(examples, learn.Example{Text: fmt.Sprintf("vay nhanh liên hệ %d", i), Positive: true},
			learn.Example{Text: fmt.Sprintf("cảm ơn bài viết %d rất hay", i)})
	}
	h.must(l.Teach(t.Context(), comments.Installation, examples, comments.ActorOperator))
	if risk, _ := h.risk(l, ad); risk < 500 {
		t.Errorf("by what all were taught: %d", risk)
	}
	for i := range examples {
		examples[i].Positive = !examples[i].Positive
	}
	h.must(l.Teach(t.Context(), "bao", examples, comments.ActorOperator))
	if risk, _ := h.risk(l, ad); risk == 0 || risk > 400 {
		t.Errorf("by what the site was taught: %d", risk)
	}
	h.must(l.Teach(t.Context(), "bao", examples[:10], comments.ActorOperator))
}

func TestThresholds(t *testing.T) {
	h := newHouse(t)
	l := h.learner()
	h.newsroom(90)
	h.risk(l, ad)
	s, err := l.Standing(t.Context(), boss, "bao")
	h.must(err)
	if s.Learnt != 90 || len(s.At) < 5 || len(s.Curve) == 0 {
		t.Errorf("standing %+v", s)
	}
	if err := l.SetThresholds(t.Context(), boss, "bao", Thresholds{Hold: 1.5}); err == nil {
		t.Error("a threshold over one was taken")
	}
	h.must(l.SetThresholds(t.Context(), boss, "bao", Thresholds{Hold: 0.3}))
	if _, signals := h.risk(l, ad); len(signals) != 1 || signals[0].Code != "over_hold" || signals[0].Level != comments.LevelHold {
		t.Errorf("over the threshold: %+v", signals)
	}
	h.must(l.SetThresholds(t.Context(), boss, "bao", Thresholds{Hold: 0.2, Spam: 0.3, Version: 1}))
	if _, signals := h.risk(l, ad); len(signals) != 1 || signals[0].Code != "over_spam" || signals[0].Level != comments.LevelSpam {
		t.Errorf("over the threshold of spam: %+v", signals)
	}
}
