package screen

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"duyet/comments"
)

var _ comments.Screener = (*List)(nil)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// letter is what an ordinary reader sends.
func letter(content string) comments.Candidate {
	return comments.Candidate{
		Comment: comments.Comment{Name: "Nguyễn Văn An", Title: "Ý kiến về bài viết", Content: content},
		Issued:  noon.Add(-time.Minute), Now: noon,
	}
}

// look runs one check on a candidate.
func look(t *testing.T, check Check, c comments.Candidate) []comments.Signal {
	t.Helper()
	found, err := New(check).Screen(t.Context(), c)
	signals := found.Signals
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range signals {
		if s.Check != check.Name || !slices.Contains(check.Codes, s.Code) {
			t.Errorf("signal %+v is none of %s: %v", s, check.Name, check.Codes)
		}
		for _, p := range s.Places {
			for field, text := range fields(c.Comment) {
				if field == p.Field && (p.Start < 0 || p.Start >= p.End || p.End > len(text)) {
					t.Errorf("place %+v in %d bytes", p, len(text))
				}
			}
		}
	}
	return signals
}

func TestOrdinaryLetters(t *testing.T) {
	for _, content := range []string{
		"Bài viết rất hữu ích, cảm ơn tác giả.",
		"Tôi sinh năm 1975, quê ở Hà Nội. Giá vàng hôm nay 84.500.000 đồng/lượng.",
		"Từ 03/05/2023 đến 09-12-2024 có 1.234.567.890 lượt, tăng 0,35%.",
		"UBND TP.HCM và Bộ GD-ĐT cần xem lại quy định này!",
		"Great article. I agree with every word of it.",
		"Ok",
		"👍👍👍",
	} {
		found, err := Default().Screen(t.Context(), letter(content))
		signals := found.Signals
		if err != nil || len(signals) != 0 {
			t.Errorf("%q: %+v, %v", content, signals, err)
		}
	}
}

// TestLongerLimit: a check that asks elsewhere may take longer than the others, who are no
// longer waited for because of it.
func TestLongerLimit(t *testing.T) {
	after := func(name string, wait, within time.Duration) Check {
		return Check{Name: name, Within: within, Look: func(ctx context.Context, _ comments.Candidate) ([]comments.Signal, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(wait):
				return []comments.Signal{{Level: comments.LevelInfo, Code: "found"}}, nil
			}
		}}
	}
	synctest.Test(t, func(t *testing.T) {
		l := New(after("elsewhere", 2*time.Second, 5*time.Second), after("slow", time.Second, 0), after("hangs", time.Hour, 3*time.Second))
		start := time.Now()
		found, err := l.Screen(t.Context(), letter("Xin chào"))
		if took := time.Since(start); err != nil || took != 3*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		if got := names(found.Signals); !slices.Equal(got, []string{"elsewhere.found.info", "slow.not_checked.hold", "hangs.not_checked.hold"}) {
			t.Errorf("%v", got)
		}
	})
}

func found(name, code string) Check {
	return Check{Name: name, Look: func(context.Context, comments.Candidate) ([]comments.Signal, error) {
		return []comments.Signal{{Level: comments.LevelInfo, Code: code}}, nil
	}}
}

func names(signals []comments.Signal) (all []string) {
	for _, s := range signals {
		all = append(all, s.Check+"."+s.Code+"."+string(s.Level))
	}
	return all
}

func TestWhatCantLookHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(
			found("first", "a"),
			Check{Name: "fails", Look: func(context.Context, comments.Candidate) ([]comments.Signal, error) {
				return []comments.Signal{{Level: comments.LevelSpam, Code: "half"}}, errors.New("no list to look in")
			}},
			Check{Name: "panics", Look: func(context.Context, comments.Candidate) ([]comments.Signal, error) {
				panic("out of range")
			}},
			Check{Name: "obedient", Look: func(ctx context.Context, _ comments.Candidate) ([]comments.Signal, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}},
			Check{Name: "deaf", Look: func(context.Context, comments.Candidate) ([]comments.Signal, error) {
				time.Sleep(time.Hour)
				return []comments.Signal{{Level: comments.LevelInfo, Code: "late"}}, nil
			}},
			Check{Name: "nothing"},
			found("last", "z"),
		)
		start := time.Now()
		found, err := l.Screen(t.Context(), letter("Xin chào"))
		signals := found.Signals
		if took := time.Since(start); err != nil || took != Within {
			t.Errorf("after %s: %v", took, err)
		}
		want := []string{
			"first.a.info", "fails.half.spam", "fails.not_checked.hold", "panics.not_checked.hold",
			"obedient.not_checked.hold", "deaf.not_checked.hold", "nothing.not_checked.hold", "last.z.info",
		}
		if got := names(signals); !slices.Equal(got, want) {
			t.Errorf("signals %v", got)
		}
		time.Sleep(2 * time.Hour) // of the bubble: the deaf one ends too
	})
}

func TestNobodyWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	deaf := make(chan struct{})
	defer close(deaf)
	found, err := New(Check{Name: "deaf", Look: func(context.Context, comments.Candidate) ([]comments.Signal, error) {
		<-deaf
		return nil, nil
	}}).Screen(ctx, letter("Xin chào"))
	if got := names(found.Signals); err != nil || !slices.Equal(got, []string{"deaf.not_checked.hold"}) {
		t.Errorf("signals %v, %v", got, err)
	}
}

func TestEverySignalIsKept(t *testing.T) {
	c := letter("GỌI NGAY 0912 345 678 HOẶC A@B.VN ĐỂ ĐƯỢC GIẢM GIÁ: HTTP://A.VN HTTP://B.VN HTTP://C.VN")
	c.Trap, c.Issued = "x", noon
	found, err := Default().Screen(t.Context(), c)
	signals := found.Signals
	want := []string{"trap.filled.hold", "filltime.fast.hold", "links.many_links.hold", "shouting.capitals.info", "contacts.phone.info", "contacts.email.info"}
	if got := names(signals); err != nil || !slices.Equal(got, want) {
		t.Errorf("signals %v, %v", got, err)
	}
}

func TestCodes(t *testing.T) {
	codes := Codes()
	seen := make(map[[2]string]bool)
	for _, c := range codes {
		if c[0] == "" || c[1] == "" || seen[c] {
			t.Errorf("code %v", c)
		}
		seen[c] = true
	}
	for _, want := range [][2]string{{"screening", "not_checked"}, {"trap", "filled"}, {"links", "many_links"}, {"contacts", "not_checked"}} {
		if !seen[want] {
			t.Errorf("%v is not among %v", want, codes)
		}
	}
	checks := make(map[string]bool)
	for _, check := range Default().checks {
		if checks[check.Name] || check.Look == nil {
			t.Errorf("check %q", check.Name)
		}
		checks[check.Name] = true
	}
}

func BenchmarkDefault(b *testing.B) {
	l, c := Default(), letter("Bài viết rất hữu ích, cảm ơn tác giả. Xem thêm tại https://news.example/bai-2.html, hoặc gọi 0912 345 678.")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Screen(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
