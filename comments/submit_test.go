package comments_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/receipt"
	"duyet/comments/work"
)

const page = "https://news.example/a"

// nothing is a Screener that finds nothing.
type nothing struct{}

func (nothing) Screen(context.Context, comments.Candidate) (comments.Screening, error) {
	return comments.Screening{}, nil
}

// wing is the readers' wing on a real store, with two sites.
func wing(t *testing.T) (*comments.Service, *captcha.Sealer) {
	t.Helper()
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
	sealer, err := captcha.New([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := receipt.New([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	limiter, err := limit.New(limit.DefaultRules(), limit.NetworksMost, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := comments.NewService(comments.Config{
		Store: db, Tickets: sealer, Judge: captcha.NewJudge(captcha.DeadMost, time.Now),
		Works:   work.New(func() [][]byte { return [][]byte{[]byte("0123456789abcdef")} }, work.NewMemory(1000, time.Now)),
		Limiter: limiter, Receipts: receipts, Screener: nothing{}, Now: time.Now,
	})
	for _, id := range []string{"one", "two"} {
		if _, err := s.AddSite(t.Context(), id, id, []string{"https://news.example"}, comments.ActorOperator); err != nil {
			t.Fatal(err)
		}
	}
	return s, sealer
}

func submission(t *testing.T, sealer *captcha.Sealer, site string) comments.Submission {
	t.Helper()
	text, ticket, err := sealer.Issue(site, page, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return comments.Submission{
		Page: page, Name: "Lan", Title: "Ý kiến", Content: "Bài viết rất hữu ích.",
		Ticket: text, Code: captcha.Text(ticket), Lang: "vi", Addr: netip.MustParseAddr("192.0.2.1"),
	}
}

func site(t *testing.T, s *comments.Service, id string) comments.Site {
	t.Helper()
	one, err := s.Site(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var invalid *comments.InvalidError
	if !errors.As(err, &invalid) || !invalid.Has(code) {
		t.Errorf("%v is not %s", err, code)
	}
}

func TestSpentTicketOfAnotherSiteTellsNothing(t *testing.T) {
	s, sealer := wing(t)
	sub := submission(t, sealer, "one")
	if _, err := s.Submit(t.Context(), site(t, s, "one"), sub); err != nil {
		t.Fatal(err)
	}
	done, err := s.Submit(t.Context(), site(t, s, "two"), sub)
	refused(t, err, comments.CodeCaptchaInvalid)
	if done.Comment.ID != "" {
		t.Errorf("site two answers with %s", done.Comment.ID)
	}
}

func TestForgottenCodeCostsNoTicket(t *testing.T) {
	s, sealer := wing(t)
	sub := submission(t, sealer, "one")
	code := sub.Code
	sub.Code = " \u3000"
	_, err := s.Submit(t.Context(), site(t, s, "one"), sub)
	refused(t, err, comments.CodeRequired)
	sub.Code = code
	if _, err := s.Submit(t.Context(), site(t, s, "one"), sub); err != nil {
		t.Errorf("the ticket is lost: %v", err)
	}
}

func TestLimitCountsAcceptedCommentsAlone(t *testing.T) {
	s, sealer := wing(t)
	bad := submission(t, sealer, "one")
	bad.Name = ""
	for range 20 {
		_, err := s.Submit(t.Context(), site(t, s, "one"), bad)
		refused(t, err, comments.CodeRequired)
	}
	for range 5 {
		if _, err := s.Submit(t.Context(), site(t, s, "one"), submission(t, sealer, "one")); err != nil {
			t.Fatal(err)
		}
	}
	var limited *comments.LimitedError
	_, err := s.Submit(t.Context(), site(t, s, "one"), submission(t, sealer, "one"))
	if !errors.As(err, &limited) || limited.RetryAfter <= 0 || limited.RetryAfter > time.Minute {
		t.Errorf("the sixth in a minute: %v", err)
	}
}
