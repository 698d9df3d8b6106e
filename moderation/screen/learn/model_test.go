package learn

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func taught(examples []Example) *Model {
	m := New()
	for _, e := range examples {
		m.Learn(e)
	}
	return m
}

func stored(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLearnsFromDecisions(t *testing.T) {
	m := New()
	if p := m.Score("Vay nhanh, bấm vào đây!"); p != 0.5 {
		t.Errorf("a new model says %v, want 0.5", p)
	}
	for _, e := range corpus(200, 1) {
		m.Learn(e)
	}
	if p := m.Score("Vay nhanh trong ngày, bấm vào đây nhận quà!"); p < 0.8 {
		t.Errorf("advertising: %v", p)
	}
	if p := m.Score("Cảm ơn tòa soạn, bài viết rất hữu ích."); p > 0.2 {
		t.Errorf("thanks: %v", p)
	}
	if got := m.Learnt(); got != 200 {
		t.Errorf("Learnt() = %d", got)
	}
}

func TestExplainNamesTheWords(t *testing.T) {
	m := taught(corpus(300, 1))
	text := "Cô giáo ơi, VAY nhanh không?\nVay tại nhom.example"
	p, reasons := m.Explain(text, 4)
	if q := m.Score(text); p != q {
		t.Errorf("Explain says %v, Score %v", p, q)
	}
	if len(reasons) != 4 {
		t.Fatalf("%d reasons: %v", len(reasons), reasons)
	}
	found := false
	for i, r := range reasons {
		if r.Weight <= 0 || i > 0 && r.Weight > reasons[i-1].Weight {
			t.Errorf("weights not falling: %v", reasons)
		}
		for _, s := range r.Places {
			if got := strings.ToLower(text[s.Start:s.End]); got != r.Word {
				t.Errorf("%q stands where %q should", got, r.Word)
			}
		}
		if r.Word == "vay" {
			found = len(r.Places) == 2
		}
		if r.Word == "giáo" {
			t.Errorf("a harmless word is blamed: %v", reasons)
		}
	}
	if !found {
		t.Errorf("vay is not blamed at both its places: %v", reasons)
	}
}

func TestSpellingOfMarksIsOne(t *testing.T) {
	m := taught(corpus(100, 1))
	text := "Nhận quà miễn phí hôm nay"
	if a, b := m.Score(text), m.Score(norm.NFD.String(text)); a != b {
		t.Errorf("NFC %v, NFD %v", a, b)
	}
	if a, b := m.Score(text), m.Score("Nhận q\u200buà mi\u200bễn phí hôm nay"); math.Abs(a-b) > 0.05 {
		t.Errorf("zero-width characters change %v to %v", a, b)
	}
	if bare, plain := m.Score("Nhan qua mien phi hom nay"), m.Score("Hoa sua no dep lam"); bare <= plain {
		t.Errorf("without diacritics advertising scores %v, a harmless line %v", bare, plain)
	}
}

func TestRebuildIsTheSame(t *testing.T) {
	a, b := taught(corpus(700, 2)), taught(corpus(700, 2))
	if !bytes.Equal(stored(t, a), stored(t, b)) {
		t.Error("the same decisions in the same order made two models")
	}
}

// checkSum holds the promise on which undo rests: the weights are the examples' shares summed.
// It needs a model none of whose examples has left memory.
func checkSum(t *testing.T, m *Model) {
	t.Helper()
	want := make([]float64, buckets)
	df := make([]uint32, buckets)
	bias := 0.0
	for _, it := range m.inMind {
		bias += it.share * it.sign
		for i, b := range it.x.at {
			want[b] += it.share * it.sign * float64(it.x.value(i))
			if b >= styles {
				df[b]++
			}
		}
	}
	if math.Abs(bias-m.bias) > 1e-6 {
		t.Errorf("bias %v, its shares %v", m.bias, bias)
	}
	for b := range want {
		if math.Abs(want[b]-float64(m.weights[b])) > 1e-4 {
			t.Fatalf("bucket %d weighs %v, its shares %v", b, m.weights[b], want[b])
		}
		if df[b] != m.df[b] {
			t.Fatalf("bucket %d counts %d texts, has %d", b, m.df[b], df[b])
		}
	}
}

func TestUnlearnSubtractsAtOnce(t *testing.T) {
	m := taught(corpus(300, 3))
	checkSum(t, m)
	text := "Hội chợ cuối tuần ở nhà văn hóa, mời bà con ghé"
	before := m.Score(text)
	wrong := Example{ID: "slip", Text: text, Positive: true}
	m.Learn(wrong)
	learnt := m.Score(text)
	if err := m.Unlearn(wrong); err != nil {
		t.Fatal(err)
	}
	after := m.Score(text)
	if learnt < before+0.1 || math.Abs(after-before) > 0.05 {
		t.Errorf("score went %v → %v → %v", before, learnt, after)
	}
	checkSum(t, m)

	whole := stored(t, m)
	if err := m.Unlearn(wrong); !errors.Is(err, ErrUnknown) {
		t.Errorf("undone twice: %v", err)
	}
	if !bytes.Equal(whole, stored(t, m)) {
		t.Error("a refused undo changed the model")
	}
}

func TestUnlearningAllForgetsAll(t *testing.T) {
	examples := corpus(120, 4)
	m := taught(examples)
	for _, e := range examples {
		if err := m.Unlearn(e); err != nil {
			t.Fatalf("%s: %v", e.ID, err)
		}
	}
	checkSum(t, m)
	if m.Learnt() != 0 || m.texts != 0 || m.At(0).Decisions != 0 {
		t.Errorf("left over: %d learnt, %d texts, %d guesses", m.Learnt(), m.texts, m.At(0).Decisions)
	}
}

func TestDecisionAgainTakesThePlace(t *testing.T) {
	m := taught(corpus(100, 5))
	e := Example{ID: "again", Text: "Sách cũ đổi sách mới ở phố đi bộ", Positive: true}
	m.Learn(e)
	spam := m.Score(e.Text)
	e.Positive = false
	m.Learn(e)
	if ham := m.Score(e.Text); ham >= spam || m.Learnt() != 101 {
		t.Errorf("score %v → %v, %d learnt", spam, ham, m.Learnt())
	}
	checkSum(t, m)
}

func TestMemoryKeepsTheRarerAnswer(t *testing.T) {
	var rare []Example
	for i, e := range corpus(2*capacity, 6) {
		if !e.Positive || i%10 == 0 {
			rare = append(rare, e)
		}
	}
	m := taught(rare)
	kept, all := 0, 0
	for _, it := range m.inMind {
		if it.sign > 0 {
			kept++
		}
	}
	for _, e := range rare {
		if e.Positive {
			all++
		}
	}
	if len(m.inMind) != capacity || kept != all || all == 0 {
		t.Errorf("%d in memory, %d of %d positive", len(m.inMind), kept, all)
	}
	// The first negative has left memory, and can still be undone.
	var old Example
	for _, e := range rare {
		if !e.Positive {
			old = e
			break
		}
	}
	ledger, before := len(m.ledger), m.Score(old.Text)
	if err := m.Unlearn(old); err != nil {
		t.Fatal(err)
	}
	if len(m.ledger) != ledger-1 || m.Score(old.Text) < before {
		t.Errorf("ledger %d → %d, score %v → %v", ledger, len(m.ledger), before, m.Score(old.Text))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := New()
	long := strings.Repeat("một đoạn văn dài không có gì lạ nhưng mỗi lần mỗi khác ", 60)
	for i, e := range corpus(300, 7) {
		e.Text = strings.ReplaceAll(long, "một", string(rune('a'+i%26))+e.Text)
		m.Learn(e)
	}
	if m.hits > hitCapacity || len(m.ledger)+len(m.inMind) != 300 {
		t.Errorf("%d values of %d examples, %d in the ledger", m.hits, len(m.inMind), len(m.ledger))
	}
}

func TestForkStandsAlone(t *testing.T) {
	prior := taught(corpus(300, 8))
	whole := stored(t, prior)
	ad := "Vay nhanh, bấm vào đây!"
	if same := prior.Fork(); same.Learnt() != 0 || same.Score(ad) != prior.Score(ad) {
		t.Errorf("a fork begins with %d learnt and %v instead of %v", same.Learnt(), same.Score(ad), prior.Score(ad))
	}
	site := prior.ForkPrior()
	if site.Learnt() != 0 || site.Score(ad) < 0.9 {
		t.Errorf("a site begins with %d learnt and %v after a prior with %v", site.Learnt(), site.Score(ad), prior.Score(ad))
	}
	for _, e := range corpus(100, 9) {
		e.Positive = !e.Positive // this site sees it otherwise
		site.Learn(e)
	}
	if site.Score(ad) > prior.Score(ad)-0.2 {
		t.Errorf("the site did not get its own mind: %v of %v", site.Score(ad), prior.Score(ad))
	}
	if !bytes.Equal(whole, stored(t, prior)) {
		t.Error("the prior changed")
	}
}

func TestAtMeasuresOnGuesses(t *testing.T) {
	m := taught(corpus(600, 10))
	all, none := m.At(0), m.At(1.1)
	if all.Decisions != 600 || all.Flagged != 600 || all.Right != all.Positive || all.Recall() != 1 {
		t.Errorf("at 0: %+v", all)
	}
	if none.Flagged != 0 || none.Precision() != 0 || none.Recall() != 0 {
		t.Errorf("at 1.1: %+v", none)
	}
	if half := m.At(0.5); half.Precision() < 0.9 || half.Recall() < 0.9 || half.Recall() > 1 {
		t.Errorf("at 0.5: %+v, precision %v, recall %v", half, half.Precision(), half.Recall())
	}
}

func TestProbabilitiesAreCalibrated(t *testing.T) {
	// A fifth of the answers are turned at random: the model should not be surer than that allows.
	examples := corpus(1500, 11)
	for i := range examples {
		if mix(uint64(i))%5 == 0 {
			examples[i].Positive = !examples[i].Positive
		}
	}
	m := taught(examples[:1000])
	var said, was float64
	for _, e := range examples[1000:] {
		said += m.Score(e.Text)
		was += oneIf(e.Positive)
	}
	if math.Abs(said-was) > 50 {
		t.Errorf("of 500 the model expects %.0f, there are %.0f", said, was)
	}
}

func TestScoreWhileLearning(t *testing.T) {
	m := New()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, e := range corpus(200, 12) {
				if p, _ := m.Explain(e.Text, 2); p < 0 || p > 1 {
					t.Errorf("probability %v", p)
				}
			}
		})
	}
	for _, e := range corpus(100, 13) {
		m.Learn(e)
	}
	wg.Wait()
}
