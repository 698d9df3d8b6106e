package work

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duyet/comments"
)

var (
	_ comments.Works = (*Desk)(nil)
	_ Ledger         = (*Memory)(nil)
)

var oldKey, newKey = []byte("0123456789abcdef"), []byte("fedcba9876543210")

const page = "https://news.example/a"

func desk(keys ...[]byte) *Desk {
	return New(func() [][]byte { return keys }, NewMemory(100, time.Now))
}

// easy is a challenge of the desk that takes no time, signed like any other.
func easy(t *testing.T, d *Desk, now time.Time) comments.Challenge {
	t.Helper()
	c, err := d.Challenge("news", page, now)
	if err != nil {
		t.Fatal(err)
	}
	c.Parameters.Cost = 1
	signature, err := sign(d.keys()[0], c.Parameters)
	if err != nil {
		t.Fatal(err)
	}
	c.Signature = hex.EncodeToString(signature)
	return c
}

func solve(t *testing.T, c comments.Challenge) string {
	t.Helper()
	proof, err := Solve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func spend(t *testing.T, d *Desk, proof string, now time.Time, want error) (giveBack func()) {
	t.Helper()
	giveBack, err := d.Spend(t.Context(), proof, "news", page, now)
	if !errors.Is(err, want) || giveBack == nil {
		t.Fatalf("%v, want %v", err, want)
	}
	return giveBack
}

func TestChallenge(t *testing.T) {
	c, err := desk(newKey).Challenge("news", page, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	p := c.Parameters
	if p.Algorithm != "PBKDF2/SHA-256" || p.Cost != 5000 || p.KeyLength != 32 || p.KeyPrefix != "00" || p.ExpiresAt != 1_700_001_800 {
		t.Errorf("%+v", p)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	// ALTCHA signs the parameters as JSON whose names are in order, and ours are.
	var names map[string]json.RawMessage
	if err := json.Unmarshal(text, &names); err != nil {
		t.Fatal(err)
	}
	var sorted map[string]any
	if err := json.Unmarshal(names["parameters"], &sorted); err != nil {
		t.Fatal(err)
	}
	canonical, err := json.Marshal(sorted)
	if err != nil || string(canonical) != string(names["parameters"]) {
		t.Errorf("%s is signed, ALTCHA signs %s", names["parameters"], canonical)
	}
}

// TestDerivation holds a key to what another implementation of PBKDF2 (Python's hashlib)
// makes of nonce, counter and salt.
func TestDerivation(t *testing.T) {
	key, ok := derive(comments.ChallengeParameters{Nonce: "000102030405060708090a0b0c0d0e0f", Salt: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", Cost: 5000, KeyLength: 32}, 258)
	if want := "8ce09a7305009e28dc2794514906c7079e2e57bba32ea9ca7a6244182977626b"; !ok || hex.EncodeToString(key) != want {
		t.Errorf("%x, want %s", key, want)
	}
}

func TestSpendOnce(t *testing.T) {
	d, now := desk(newKey), time.Now()
	proof := solve(t, easy(t, d, now))
	giveBack := spend(t, d, proof, now, nil)
	spend(t, d, proof, now, comments.ErrWork)
	giveBack()
	again := spend(t, d, proof, now, nil)
	spend(t, d, proof, now, comments.ErrWork)
	again()

	var in atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.Spend(context.Background(), proof, "news", page, now); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("one proof lets %d in", in.Load())
	}
}

func TestRefused(t *testing.T) {
	d, now := desk(newKey), time.Now()
	c := easy(t, d, now)
	proof := solve(t, c)
	for name, bad := range map[string]string{
		"nothing": "", "no base64": "%", "no JSON": base64.StdEncoding.EncodeToString([]byte("[")),
		"an array": base64.StdEncoding.EncodeToString([]byte(`{"challenge":[]}`)), "too long": strings.Repeat("A", proofMost+1),
		"another key's": solve(t, easy(t, desk(oldKey), now)),
		"cheaper":       solve(t, comments.Challenge{Parameters: func() comments.ChallengeParameters { p := c.Parameters; p.KeyPrefix = ""; return p }(), Signature: c.Signature}),
	} {
		if _, err := d.Spend(t.Context(), bad, "news", page, now); !errors.Is(err, comments.ErrWork) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Spend(t.Context(), proof, "news", page+"/other", now); !errors.Is(err, comments.ErrWork) {
		t.Errorf("for another page: %v", err)
	}
	if _, err := d.Spend(t.Context(), proof, "other", page, now); !errors.Is(err, comments.ErrWork) {
		t.Errorf("for another site: %v", err)
	}
	spend(t, d, proof, now.Add(GoodFor+time.Second), comments.ErrWork)
	spend(t, d, proof, now, nil) // none of these has spent it
}

// TestWrongSolution: each challenge gets one derivation, so a wrong solution spends it.
func TestWrongSolution(t *testing.T) {
	d, now := desk(newKey), time.Now()
	c := easy(t, d, now)
	text, err := json.Marshal(payload{c, solution{Counter: 1 << 30, DerivedKey: "00"}})
	if err != nil {
		t.Fatal(err)
	}
	spend(t, d, base64.StdEncoding.EncodeToString(text), now, comments.ErrWork)
	spend(t, d, solve(t, c), now, comments.ErrWork)
}

func TestRotation(t *testing.T) {
	now := time.Now()
	proof := solve(t, easy(t, desk(oldKey), now))
	spend(t, desk(newKey, oldKey), proof, now, nil)
}

type broken struct{ Ledger }

func (broken) Take(context.Context, [nonceSize]byte, time.Time) (Standing, error) {
	return Spent, comments.ErrUnavailable
}

func TestLedgerAway(t *testing.T) {
	d, now := desk(newKey), time.Now()
	proof := solve(t, easy(t, d, now))
	d.ledger = broken{}
	spend(t, d, proof, now, comments.ErrUnavailable)
}

func TestLedgerIsBounded(t *testing.T) {
	now := time.Now()
	m := NewMemory(10, func() time.Time { return now })
	for i := range 100 {
		if s, _ := m.Take(t.Context(), [nonceSize]byte{byte(i)}, now.Add(time.Hour+time.Duration(i))); s != Fresh {
			t.Fatalf("challenge %d stands %v", i, s)
		}
	}
	if len(m.seen) > 10 || len(m.soon) != len(m.seen) {
		t.Errorf("%d and %d are remembered", len(m.seen), len(m.soon))
	}
	now = now.Add(2 * time.Hour)
	m.Take(t.Context(), [nonceSize]byte{200}, now.Add(time.Hour))
	if len(m.seen) != 1 {
		t.Errorf("%d are remembered past their time", len(m.seen))
	}
}

func TestSolveEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Solve(ctx, comments.Challenge{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzSpend(f *testing.F) {
	d, now := desk(newKey), time.Now()
	c, err := d.Challenge("news", page, now)
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(payload{c, solution{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"challenge":{"parameters":{"cost":-1,"keyLength":1e9}},"solution":{"counter":-1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := d.Spend(t.Context(), base64.StdEncoding.EncodeToString(text), "news", page, now); !errors.Is(err, comments.ErrWork) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func BenchmarkDerivation(b *testing.B) {
	p := comments.ChallengeParameters{Nonce: "00", Salt: "00", Cost: Rounds, KeyLength: KeyLength}
	for b.Loop() {
		derive(p, 1)
	}
}
