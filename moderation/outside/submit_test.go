package outside_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
)

// TestTheWholeWayIn: on a site that publishes at once, what a hook finds nothing against is
// published, and everything else waits, with what was found; nobody is refused.
func TestTheWholeWayIn(t *testing.T) {
	var answer atomic.Value
	s, roots := service(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if answer.Load() == "" {
			<-r.Context().Done()
		}
		fmt.Fprint(w, answer.Load())
	})
	h := newHouse(t, roots)
	h.must(h.out.SetHook(t.Context(), boss, "bao", outside.HookChange{On: true, URL: s.URL, Within: outside.HookLeast, Secret: secret}))
	svc := comments.NewService(comments.Config{
		Store: h.db, Tickets: open{h: h}, Judge: right{}, Screener: screen.New(h.out.Checks()...), Receipts: none{}, Now: func() time.Time { return h.now },
	})
	site, err := svc.Site(t.Context(), "bao")
	h.must(err)
	site.Origins, site.Settings.RateLimit, site.Settings.Mode = []string{"https://bao.example"}, false, comments.PostModerated
	for i, tt := range []struct {
		answer, code string
		status       comments.Status
	}{
		{`{"verdict":"ok"}`, "", comments.Approved},
		{`{"verdict":"hold"}`, screen.CodeHold, comments.Pending},
		{`{"verdict":"spam"}`, screen.CodeSpam, comments.Pending},
		{"", screen.NotChecked, comments.Pending},
		{"{", screen.NotChecked, comments.Pending},
	} {
		answer.Store(tt.answer)
		done, err := svc.Submit(t.Context(), site, comments.Submission{
			Page: "https://bao.example/bai", Name: "An", Title: "Góp ý", Content: "Bài rất hay.", Ticket: string(rune('a' + i)), Code: "1", Lang: "vi",
			Addr: netip.MustParseAddr("203.0.113.9"),
		})
		h.must(err)
		stored, err := h.db.Comment(t.Context(), done.Comment.ID)
		h.must(err)
		code := ""
		for _, s := range stored.Signals {
			code += s.Code
		}
		if stored.Status != tt.status || code != tt.code {
			t.Errorf("%q: %s, %q", tt.answer, stored.Status, code)
		}
	}
}

type open struct {
	comments.Tickets
	h *house
}

func (o open) Open(text string) (comments.Ticket, error) {
	page := comments.PageHash("bao", "https://bao.example/bai")
	return comments.Ticket{ID: comments.TicketID{text[0]}, Site: "bao", Page: page, Issued: o.h.now.Add(-time.Minute), Expires: o.h.now.Add(time.Hour)}, nil
}

type right struct{}

func (right) Judge(context.Context, comments.Ticket, string) (comments.Verdict, error) {
	return comments.VerdictRight, nil
}
func (right) Dead(context.Context, comments.TicketID) (bool, error) { return false, nil }

type none struct{ comments.Receipts }

func (none) Issue(comments.ID) (string, error) { return "receipt", nil }

// BenchmarkScreen shows what asking costs: where nothing is chosen, a hook on this machine, and
// one that rests.
func BenchmarkScreen(b *testing.B) {
	s, roots := service(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"verdict":"ok"}`)
	})
	for _, tt := range []struct{ name, path string }{{"off", ""}, {"hook", "/"}, {"resting", "/broken"}} {
		b.Run(tt.name, func(b *testing.B) {
			h := newHouse(b, roots, func(c *outside.Config) { c.RestFor = time.Hour })
			if tt.path != "" {
				h.hook(s.URL + tt.path)
			}
			list := screen.Default(h.out.Checks()...)
			c := candidate()
			for b.Loop() {
				if _, err := list.Screen(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("without", func(b *testing.B) {
		list, c := screen.Default(), candidate()
		for b.Loop() {
			if _, err := list.Screen(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
