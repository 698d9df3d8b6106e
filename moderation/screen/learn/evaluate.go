package learn

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Report is how a model did on comments it had never seen.
type Report struct {
	AUC              float64 // probability that a positive comment is ranked over a negative one
	AveragePrecision float64
	MacroF1          float64 // at Threshold
	Accuracy         float64 // at Threshold
	Threshold        float64 // a probability, chosen on the training part alone
	MsPerComment     float64 // to score one comment, in milliseconds of wall clock
	Curve            []Point // how it learnt
}

// Point of a learning curve: the AUC on the test part after so many decisions.
type Point struct {
	Decisions int
	AUC       float64
}

// curveAt are the decisions after which the learning curve is measured.
var curveAt = [...]int{50, 200, 1000}

// Evaluate learns train in its order, one decision at a time as a desk would make them, and
// measures on test; IDs are let be. The threshold is the one of the best macro-F1 to be expected
// on train, each comment judged by what was learnt of all others. Without both answers in test,
// AUC is one half; without both in train, so is the threshold.
func Evaluate(train, test []Example) Report {
	m := New()
	var report Report
	for i, e := range train {
		if slices.Contains(curveAt[:], i) {
			report.Curve = append(report.Curve, Point{i, m.rank(test).auc()})
		}
		e.ID = strconv.Itoa(i)
		m.Learn(e)
	}
	report.Threshold = 0.5
	if at, ok := m.others(train).threshold(); ok {
		report.Threshold = m.recent.probability(at)
	}
	start := time.Now()
	after := m.rank(test)
	if len(test) > 0 {
		report.MsPerComment = time.Since(start).Seconds() * 1000 / float64(len(test))
	}
	report.AUC, report.AveragePrecision = after.auc(), after.averagePrecision()
	report.MacroF1, report.Accuracy = after.at(report.Threshold)
	return report
}

// others is what the model would hold of each example had it learnt all but that one, nearly:
// the example's share is taken out, the shares of others are let stand. Those that left the
// ledger are passed over. Examples are known by their place.
func (m *Model) others(train []Example) history {
	shares := map[uint64]float64{}
	for _, it := range m.inMind {
		shares[it.key] = it.share * it.sign
	}
	for _, en := range m.ledger {
		shares[en.key] = en.share
	}
	var h history
	var x extractor
	for i, e := range train {
		e.ID = strconv.Itoa(i)
		share, known := shares[e.key()]
		if !known {
			continue
		}
		x.read(e.Text)
		v := x.appendVector(vector{}, m.df, m.texts)
		margin := m.margin(v) - share*v.square()
		m.counts.add(v, e.Positive, -1)
		h.guesses = append(h.guesses, guess{margin: margin + m.counts.margin(v), positive: e.Positive})
		m.counts.add(v, e.Positive, 1)
	}
	return h
}

func (m *Model) rank(test []Example) ranking {
	out := make(ranking, len(test))
	for i, e := range test {
		out[i] = ranked{m.Score(e.Text), e.Positive}
	}
	return out
}

// ranking is judged comments and what was true of them.
type ranking []ranked

type ranked struct {
	probability float64
	positive    bool
}

// sorted is from the riskiest to the safest.
func (r ranking) sorted() ranking {
	s := slices.Clone(r)
	slices.SortStableFunc(s, func(a, b ranked) int { return cmp.Compare(b.probability, a.probability) })
	return s
}

func (r ranking) positives() int {
	n := 0
	for _, x := range r {
		if x.positive {
			n++
		}
	}
	return n
}

// auc is the area under the ROC curve by ranks; equal ranks count half (Mann and Whitney, 1947).
func (r ranking) auc() float64 {
	s := r.sorted()
	positives := float64(s.positives())
	negatives := float64(len(s)) - positives
	if positives == 0 || negatives == 0 {
		return 0.5
	}
	var below, area float64 // negatives safer than those at hand
	for j := len(s); j > 0; {
		i := j - 1
		for i > 0 && s[i-1].probability == s[j-1].probability {
			i--
		}
		p := float64(s[i:j].positives())
		n := float64(j-i) - p
		area += p * (below + n/2)
		below += n
		j = i
	}
	return area / (positives * negatives)
}

// averagePrecision is the mean of the precision at each positive, equal ranks taken together.
func (r ranking) averagePrecision() float64 {
	s := r.sorted()
	total := float64(s.positives())
	if total == 0 {
		return 0
	}
	var sum, found float64
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j].probability == s[i].probability {
			j++
		}
		p := float64(s[i:j].positives())
		found += p
		sum += p * found / float64(j)
		i = j
	}
	return sum / total
}

// confusion counts answers at a threshold.
type confusion struct{ tp, fp, fn, tn float64 }

func (c confusion) macroF1() float64 {
	return (f1(c.tp, c.fp+c.fn) + f1(c.tn, c.fp+c.fn)) / 2
}

func f1(right, wrong float64) float64 {
	if right == 0 {
		return 0
	}
	return 2 * right / (2*right + wrong)
}

func (r ranking) at(threshold float64) (macroF1, accuracy float64) {
	var c confusion
	for _, x := range r {
		switch flagged := x.probability >= threshold; {
		case flagged && x.positive:
			c.tp++
		case flagged:
			c.fp++
		case x.positive:
			c.fn++
		default:
			c.tn++
		}
	}
	if len(r) > 0 {
		accuracy = (c.tp + c.tn) / float64(len(r))
	}
	return c.macroF1(), accuracy
}

// threshold is the margin over which to flag for the highest macro-F1 to be expected. What is
// expected comes from the guesses' own calibration, not from counting them: the best cut of a few
// hundred answers is mostly chance, a curve of two numbers drawn through them is not (the same
// plug-in is studied in Lipton, Elkan and Naryanaswamy, ECML 2014).
// It is not ok when the guesses lack one of the answers.
func (h history) threshold() (margin float64, ok bool) {
	h.calibration = calibration{slope: 1}
	h.prior = h.calibration
	h.calibrate()
	guesses := slices.SortedStableFunc(slices.Values(h.guesses), func(a, b guess) int {
		return cmp.Compare(b.margin, a.margin)
	})
	both := slices.ContainsFunc(guesses, func(g guess) bool { return g.positive }) &&
		slices.ContainsFunc(guesses, func(g guess) bool { return !g.positive })
	if !both {
		return 0, false
	}
	var c confusion
	for _, g := range guesses {
		p := h.probability(g.margin)
		c.fn += p
		c.tn += 1 - p
	}
	best, at := -1.0, 0.0
	for i, g := range guesses[:len(guesses)-1] {
		p := h.probability(g.margin)
		c.tp, c.fn = c.tp+p, c.fn-p
		c.fp, c.tn = c.fp+1-p, c.tn-1+p
		if f := c.macroF1(); f > best {
			best, at = f, (g.margin+guesses[i+1].margin)/2
		}
	}
	return at, true
}
