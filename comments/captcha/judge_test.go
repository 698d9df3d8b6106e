package captcha

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"duyet/comments"
)

var _ comments.Judge = (*Judge)(nil)

func ticket(n int, expires time.Time) comments.Ticket {
	t := comments.Ticket{Site: "news", Digits: []byte{0, 1, 2, 3, 4, 5}, Expires: expires}
	t.ID[0] = byte(n)
	binary.BigEndian.PutUint64(t.ID[8:], uint64(n))
	return t
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func TestTyped(t *testing.T) {
	tests := []struct {
		typed string
		right bool
	}{
		{"012345", true},
		{" 0 1 2 3 4 5 ", true},
		{"012 345\n", true},
		{"0\u00a01\u20032\u30003\u202f45", true},
		{"０１２３４５", true},
		{"０1２ 3４5", true},
		{"٠١٢٣٤٥", true},
		{"𝟎𝟏𝟚𝟹4５", true},
		{"", false},
		{"      ", false},
		{"01234", false},
		{"0123456", false},
		{"012346", false},
		{"112345", false},
		{" 12345", false}, // a space is no zero
		{"O12345", false},
		{"o12345", false},
		{"0-1-2-3-4-5", false},
		{"⓪12345", false},
		{"0¹2345", false},
		{"0\u200b12345", false},
		{"012345\x00", false},
		{"\x00\x01\x02\x03\x04\x05", false},
		{"012345" + strings.Repeat(" ", typedMost), false},
	}
	for i, tt := range tests {
		j := NewJudge(DeadMost, at(noon))
		ticket := ticket(i, noon.Add(time.Minute))
		want := comments.VerdictWrong
		if tt.right {
			want = comments.VerdictRight
		}
		if got, err := j.Judge(t.Context(), ticket, tt.typed); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", tt.typed, got, err, want)
		}
		if dead, err := j.Dead(t.Context(), ticket.ID); err != nil || dead == tt.right {
			t.Errorf("%q: dead is %v, %v", tt.typed, dead, err)
		}
	}
}

// TestDecimalBlocks holds Unicode's tables to what decimal relies on.
func TestDecimalBlocks(t *testing.T) {
	for _, r := range unicode.Nd.R16 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("%U to %U", r.Lo, r.Hi)
		}
	}
	for _, r := range unicode.Nd.R32 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("%U to %U", r.Lo, r.Hi)
		}
	}
}

func TestWrongAnswerKills(t *testing.T) {
	j, ctx := NewJudge(DeadMost, at(noon)), t.Context()
	a, b := ticket(1, noon.Add(time.Minute)), ticket(2, noon.Add(time.Minute))
	for i, step := range []struct {
		t     comments.Ticket
		typed string
		want  comments.Verdict
	}{
		{a, "012345", comments.VerdictRight},
		{a, "012345", comments.VerdictRight}, // the store spends it, not the judge
		{a, "999999", comments.VerdictWrong},
		{a, "012345", comments.VerdictDead},
		{a, "999999", comments.VerdictDead},
		{b, "012345", comments.VerdictRight},
	} {
		if got, err := j.Judge(ctx, step.t, step.typed); err != nil || got != step.want {
			t.Errorf("step %d: %v, %v; want %v", i, got, err, step.want)
		}
	}
}

func TestContext(t *testing.T) {
	j := NewJudge(DeadMost, at(noon))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := ticket(1, noon.Add(time.Minute))
	if _, err := j.Judge(ctx, a, "999999"); !errors.Is(err, context.Canceled) {
		t.Errorf("a judge with nobody waiting: %v", err)
	}
	if _, err := j.Dead(ctx, a.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("dead with nobody waiting: %v", err)
	}
	if dead, err := j.Dead(t.Context(), a.ID); dead || err != nil {
		t.Errorf("it was looked at: %v, %v", dead, err)
	}
	if v, err := j.Judge(t.Context(), comments.Ticket{}, ""); err == nil || v == comments.VerdictRight {
		t.Errorf("no digits and none typed: %v, %v", v, err)
	}
}

func TestRacingGuessesGetOneLook(t *testing.T) {
	for round := range 20 {
		j := NewJudge(DeadMost, at(noon))
		a := ticket(round, noon.Add(time.Minute))
		var looked atomic.Int64
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				<-start
				v, err := j.Judge(t.Context(), a, fmt.Sprintf("%06d", 900_000+i))
				if err != nil {
					t.Error(err)
				}
				if v != comments.VerdictDead {
					looked.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if looked.Load() != 1 {
			t.Fatalf("%d of 1000 racing guesses got a look", looked.Load())
		}
	}
}

func (j *Judge) size() (n int) {
	for i := range j.stripe {
		n += len(j.stripe[i].dead)
		if len(j.stripe[i].dead) != len(j.stripe[i].soon) {
			return -1
		}
	}
	return n
}

func TestForgetsAtExpiry(t *testing.T) {
	now := noon
	j := NewJudge(DeadMost, func() time.Time { return now })
	for i := range 1000 {
		j.Judge(t.Context(), ticket(i, noon.Add(time.Minute)), "")
	}
	if j.size() != 1000 {
		t.Fatalf("%d of 1000 remembered", j.size())
	}
	now = noon.Add(time.Minute)
	for i := range stripes {
		j.Judge(t.Context(), ticket(10_000_000+i, now.Add(time.Minute)), "")
	}
	if j.size() != stripes {
		t.Errorf("%d remembered past their time", j.size()-stripes)
	}
}

func TestFullForgetsTheSoonest(t *testing.T) {
	const most = 4 * stripes
	j := NewJudge(most, at(noon))
	kill := func(i int) {
		t.Helper()
		if v, err := j.Judge(t.Context(), ticket(i, noon.Add(time.Duration(i+1)*time.Second)), ""); err != nil || v != comments.VerdictWrong {
			t.Fatalf("ticket %d: %v, %v", i, v, err)
		}
		if n := j.size(); n < 0 || n > most {
			t.Fatalf("%d remembered", n)
		}
	}
	isDead := func(i int) bool {
		t.Helper()
		dead, err := j.Dead(t.Context(), ticket(i, noon).ID)
		if err != nil {
			t.Fatal(err)
		}
		return dead
	}
	for _, i := range rand.Perm(most) {
		kill(i)
	}
	for i := range stripes { // one more for each lock
		kill(most + i)
	}
	for i := range most + stripes {
		if dead := isDead(i); dead != (i >= stripes) {
			t.Fatalf("ticket %d: dead is %v", i, dead)
		}
	}
	kill(0)
	if !isDead(0) {
		t.Error("the one just killed is forgotten, since it expires soonest")
	}
}

// TestMemory holds the figure in the comment at DeadMost.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	j := NewJudge(DeadMost, at(noon))
	for i := range DeadMost {
		j.Judge(t.Context(), ticket(i, noon.Add(time.Minute)), "")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := after.HeapAlloc - before.HeapAlloc
	t.Logf("%d dead tickets in %d bytes, %d each", j.size(), size, size/DeadMost)
	if size > 16<<20 {
		t.Errorf("%d bytes", size)
	}
	runtime.KeepAlive(j)
}

func BenchmarkJudge(b *testing.B) {
	j, t := NewJudge(DeadMost, at(noon)), ticket(1, noon.Add(time.Minute))
	b.ReportAllocs()
	for b.Loop() {
		if v, err := j.Judge(b.Context(), t, "012345"); err != nil || v != comments.VerdictRight {
			b.Fatal(v, err)
		}
	}
}
