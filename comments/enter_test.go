package comments_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/receipt"
)

// siren is an Alarm that a test raises, and counts what it hears.
type siren struct {
	raised         atomic.Bool
	arrived, wrong atomic.Int64
}

func (s *siren) Raised(comments.Site, [16]byte) bool      { return s.raised.Load() }
func (s *siren) Arrived(_ comments.Site, p comments.Page) { s.arrived.Add(1) }
func (s *siren) Wrong(comments.Site, comments.Page)       { s.wrong.Add(1) }

// works is a Works whose proofs are "good", each until it is spent, and "away".
type works struct{ spent, asked atomic.Int64 }

func (w *works) Challenge(string, string, time.Time) (comments.Challenge, error) {
	return comments.Challenge{}, nil
}

func (w *works) Spend(_ context.Context, proof, _, _ string, _ time.Time) (func(), error) {
	w.asked.Add(1)
	switch proof {
	case "good":
		w.spent.Add(1)
		return func() { w.spent.Add(-1) }, nil
	case "away":
		return func() {}, comments.ErrUnavailable
	}
	return func() {}, comments.ErrWork
}

// seen keeps the last candidate.
type seen struct{ last comments.Candidate }

func (s *seen) Screen(_ context.Context, c comments.Candidate) (comments.Screening, error) {
	s.last = c
	return comments.Screening{}, nil
}

// door is the readers' wing with what stands at its door in a test's hands.
type door struct {
	t      *testing.T
	svc    *comments.Service
	sealer *captcha.Sealer
	siren  *siren
	works  *works
	seen   *seen
	site   comments.Site
	now    time.Time
	n      int
}

func newDoor(t *testing.T, settings ...string) *door {
	t.Helper()
	d := &door{t: t, siren: &siren{}, works: &works{}, seen: &seen{}, now: time.Now()}
	clock := func() time.Time { return d.now }
	key := []byte("0123456789abcdef0123456789abcdef")
	db, err := boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "test", Key: key, Holder: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if d.sealer, err = captcha.New([][]byte{key}); err != nil {
		t.Fatal(err)
	}
	receipts, err := receipt.New([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	limiter, err := limit.New(limit.DefaultRules(), 1000, clock)
	if err != nil {
		t.Fatal(err)
	}
	d.svc = comments.NewService(comments.Config{
		Store: db, Tickets: d.sealer, Judge: captcha.NewJudge(1000, clock), Limiter: limiter, Alarm: d.siren, Works: d.works,
		Receipts: receipts, Screener: d.seen, Now: clock,
	})
	if d.site, err = d.svc.AddSite(t.Context(), "one", "One", []string{"https://news.example"}, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(settings); i += 2 {
		if d.site, err = d.svc.SetSite(t.Context(), "one", []comments.Pair{{Key: settings[i], Value: settings[i+1]}}, comments.ActorOperator); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// post sends a comment of its own with a right code, changed by edit.
func (d *door) post(edit func(*comments.Submission)) (comments.Comment, error) {
	d.t.Helper()
	text, ticket, err := d.sealer.Issue("one", page, d.now, time.Hour)
	if err != nil {
		d.t.Fatal(err)
	}
	d.n++
	sub := comments.Submission{
		Page: page, Name: "A", Title: "B", Content: fmt.Sprint("C", d.n), Ticket: text, Code: captcha.Text(ticket),
		Addr: netip.MustParseAddr("192.0.2.1"), Lang: "vi",
	}
	if edit != nil {
		edit(&sub)
	}
	done, err := d.svc.Submit(d.t.Context(), d.site, sub)
	return done.Comment, err
}

func with(proof string) func(*comments.Submission) {
	return func(s *comments.Submission) { s.Work = proof }
}

func TestOverTheLimit(t *testing.T) {
	d := newDoor(t)
	for range 5 {
		if _, err := d.post(nil); err != nil {
			t.Fatal(err)
		}
	}
	if d.works.asked.Load() != 0 {
		t.Error("work is looked at where nobody asks for it")
	}
	var limited *comments.LimitedError
	if _, err := d.post(nil); !errors.As(err, &limited) || limited.RetryAfter != time.Minute {
		t.Errorf("the sixth: %v", err)
	}
	if _, err := d.post(with("bad")); !errors.As(err, &limited) {
		t.Errorf("the sixth with bad work: %v", err)
	}
	if _, err := d.post(with("away")); !errors.As(err, &limited) {
		t.Errorf("the sixth with work that can't be looked at: %v", err)
	}
	for i := range 20 {
		if _, err := d.post(with("good")); err != nil {
			t.Fatalf("comment %d with work: %v", i+6, err)
		}
		if !d.seen.last.Over || d.seen.last.Work != comments.WorkDone {
			t.Fatalf("it is not marked: %+v", d.seen.last)
		}
	}
	if _, err := d.post(with("good")); !errors.As(err, &limited) {
		t.Errorf("the 26th with work: %v", err)
	}
	if d.works.spent.Load() != 20 {
		t.Errorf("twenty comments cost %d proofs", d.works.spent.Load())
	}
}

// TestOnlyAcceptedCommentsCount, and work is spent by none but them.
func TestOnlyAcceptedCommentsCount(t *testing.T) {
	d := newDoor(t)
	d.siren.raised.Store(true)
	for range 5 {
		_, err := d.post(func(s *comments.Submission) { s.Work, s.Name = "good", "" })
		if !errors.Is(err, comments.ErrInvalid) {
			t.Fatal(err)
		}
	}
	for range 2 { // attack mode halves five
		if _, err := d.post(with("good")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.post(nil); !errors.Is(err, comments.ErrLimited) {
		t.Errorf("the third under attack: %v", err)
	}
	if d.works.spent.Load() != 2 {
		t.Errorf("two comments cost %d proofs", d.works.spent.Load())
	}
}

func TestUnderAttack(t *testing.T) {
	d := newDoor(t, "rate_limit", "off")
	d.siren.raised.Store(true)
	for proof, want := range map[string]comments.Work{"": comments.WorkNone, "bad": comments.WorkNone, "away": comments.WorkUnknown, "good": comments.WorkDone} {
		if _, err := d.post(with(proof)); err != nil {
			t.Errorf("%q: %v", proof, err)
		}
		if c := d.seen.last; !c.Attack || c.Work != want || c.Over {
			t.Errorf("%q: %+v", proof, c)
		}
	}
	if !d.svc.WantsWork(d.site, page) || !d.svc.WantsCode(d.site, page) {
		t.Error("it wants less than work and a code")
	}
}

func TestWrongCodesPause(t *testing.T) {
	d := newDoor(t)
	wrong := func(s *comments.Submission) { s.Code = "x" }
	for range 10 {
		if _, err := d.post(wrong); !errors.Is(err, comments.ErrInvalid) {
			t.Fatal(err)
		}
	}
	var limited *comments.LimitedError
	if _, err := d.post(with("good")); !errors.As(err, &limited) || limited.RetryAfter != 10*time.Minute {
		t.Errorf("after ten wrong codes: %v", err)
	}
	if d.siren.wrong.Load() != 10 || d.siren.arrived.Load() != 11 {
		t.Errorf("the alarm heard of %d wrong codes and %d arrivals", d.siren.wrong.Load(), d.siren.arrived.Load())
	}
	d.now = d.now.Add(10 * time.Minute)
	if _, err := d.post(nil); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

// TestWorkInsteadOfCode: a site may take work the usual way and the code where there is none.
func TestWorkInsteadOfCode(t *testing.T) {
	d := newDoor(t, "rate_limit", "off", "proof", "work")
	blank := func(proof string) func(*comments.Submission) {
		return func(s *comments.Submission) { s.Work, s.Code = proof, "" }
	}
	required := func(err error) bool {
		var invalid *comments.InvalidError
		return errors.As(err, &invalid) && invalid.Has(comments.CodeRequired) && invalid.Fields[0].Field == "code"
	}
	if !d.svc.WantsWork(d.site, page) || d.svc.WantsCode(d.site, page) {
		t.Error("it does not want work alone")
	}
	if _, err := d.post(blank("good")); err != nil {
		t.Errorf("work alone: %v", err)
	}
	for _, proof := range []string{"", "bad", "away"} {
		if _, err := d.post(blank(proof)); !required(err) {
			t.Errorf("neither code nor good work, %q: %v", proof, err)
		}
	}
	if _, err := d.post(nil); err != nil {
		t.Errorf("a code alone: %v", err)
	}
	if _, err := d.post(func(s *comments.Submission) { s.Work, s.Code = "good", "x" }); err == nil {
		t.Error("a wrong code passes beside good work")
	}
	// A ticket that a wrong code killed is dead to work too.
	text, _, err := d.sealer.Issue("one", page, d.now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.post(func(s *comments.Submission) { s.Ticket, s.Code = text, "x" }); err == nil {
		t.Fatal("a wrong code passes")
	}
	if _, err := d.post(func(s *comments.Submission) { s.Ticket, s.Code, s.Work = text, "", "good" }); !errors.Is(err, comments.ErrInvalid) {
		t.Errorf("with a dead ticket: %v", err)
	}
	d.siren.raised.Store(true)
	if _, err := d.post(blank("good")); !required(err) {
		t.Errorf("under attack, work alone: %v", err)
	}
}
