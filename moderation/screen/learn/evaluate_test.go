package learn

import (
	"math"
	"strings"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestMeasures(t *testing.T) {
	r := ranking{{0.9, true}, {0.8, false}, {0.7, true}, {0.7, false}, {0.2, false}}
	// Pairs won: 0.9 beats three; 0.7 beats one, ties one, loses one.
	if got := r.auc(); !near(got, (3+1.5)/6) {
		t.Errorf("AUC %v", got)
	}
	if got := r.averagePrecision(); !near(got, (1.0+2.0/4)/2) {
		t.Errorf("average precision %v", got)
	}
	f, acc := r.at(0.7) // 2 right, 2 wrong flags, 1 right pass
	if !near(acc, 3.0/5) || !near(f, (4.0/6+2.0/4)/2) {
		t.Errorf("macro-F1 %v, accuracy %v", f, acc)
	}
	if got := (ranking{{0.4, true}}).auc(); got != 0.5 {
		t.Errorf("AUC of one answer: %v", got)
	}
	if got := (ranking{}).averagePrecision(); got != 0 {
		t.Errorf("average precision of nothing: %v", got)
	}
}

func TestEvaluate(t *testing.T) {
	report := Evaluate(corpus(1100, 30), corpus(200, 31))
	if report.AUC < 0.99 || report.AveragePrecision < 0.98 || report.MacroF1 < 0.95 || report.Accuracy < 0.95 {
		t.Errorf("%+v", report)
	}
	if report.Threshold <= 0 || report.Threshold >= 1 || report.MsPerComment <= 0 {
		t.Errorf("threshold %v, %v ms", report.Threshold, report.MsPerComment)
	}
	if len(report.Curve) != 3 || report.Curve[0].Decisions != 50 || report.Curve[2].AUC < report.Curve[0].AUC-0.05 {
		t.Errorf("curve %v", report.Curve)
	}
}

func TestEvaluateKeepsThresholdFromTest(t *testing.T) {
	train, test := corpus(400, 32), corpus(100, 33)
	turned := make([]Example, len(test))
	for i, e := range test {
		e.Positive = !e.Positive
		turned[i] = e
	}
	a, b := Evaluate(train, test), Evaluate(train, turned)
	if a.Threshold != b.Threshold || !near(a.AUC, 1-b.AUC) {
		t.Errorf("thresholds %v and %v, AUC %v and %v", a.Threshold, b.Threshold, a.AUC, b.AUC)
	}
	if got := Evaluate(nil, test); got.AUC != 0.5 || got.Threshold != 0.5 {
		t.Errorf("untaught: %+v", got)
	}
	if got := Evaluate(train, nil); got.MsPerComment != 0 || got.Accuracy != 0 {
		t.Errorf("untested: %+v", got)
	}
}

func BenchmarkScore(b *testing.B) {
	m := taught(corpus(1000, 40))
	text := strings.Repeat("Chị hàng xóm nhớ mùa hoa sữa năm ngoái, mong mọi người góp ý. ", 2)
	b.ReportAllocs()
	for b.Loop() {
		m.Score(text)
	}
}

func BenchmarkExplain(b *testing.B) {
	m := taught(corpus(1000, 40))
	for b.Loop() {
		m.Explain("Cô giáo ơi, vay nhanh không? Vay tại nhom.example, cảm ơn tòa soạn", 5)
	}
}

func BenchmarkLearn(b *testing.B) {
	examples := corpus(5000, 41)
	m := taught(examples[:1000])
	i := 0
	for b.Loop() {
		e := examples[i%len(examples)]
		e.ID = ""
		m.Learn(e)
		i++
	}
}
