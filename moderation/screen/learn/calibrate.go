package learn

import (
	"math"
	"slices"
)

const (
	historySize    = 1024 // recent decisions by which probabilities are calibrated
	calibrateEvery = 16   // decisions
)

// guess is what the model held of a comment before it was told the decision.
type guess struct {
	key         uint64
	margin      float64
	probability float64
	positive    bool
}

// calibration turns a margin into a probability: sigmoid(slope·margin + offset).
type calibration struct{ slope, offset float64 }

func (c calibration) probability(margin float64) float64 {
	return sigmoid(c.slope*margin + c.offset)
}

// history is the last guesses, oldest first, and the calibration drawn from them.
type history struct {
	calibration
	prior   calibration // where the calibration starts, and what little evidence leaves it near
	guesses []guess
}

func newHistory() history {
	start := calibration{slope: 1}
	return history{calibration: start, prior: start}
}

func (h *history) add(key uint64, margin float64, positive bool) {
	if len(h.guesses) == historySize {
		h.guesses = slices.Delete(h.guesses, 0, 1)
	}
	h.guesses = append(h.guesses, guess{key, margin, h.probability(margin), positive})
}

func (h *history) remove(key uint64) {
	h.guesses = slices.DeleteFunc(h.guesses, func(g guess) bool { return g.key == key })
}

// calibrate fits the two numbers to the guesses by Newton's method (Platt, Probabilistic Outputs
// for Support Vector Machines, 1999), drawn towards prior as if by a few decisions.
func (h *history) calibrate() {
	const pull = 2.0
	c := h.calibration
	for range 20 {
		slope, offset := pull*(c.slope-h.prior.slope), pull*(c.offset-h.prior.offset)
		ss, so, oo := pull, 0.0, pull
		for _, g := range h.guesses {
			p := c.probability(g.margin)
			d := p
			if g.positive {
				d--
			}
			slope += d * g.margin
			offset += d
			v := p * (1 - p)
			ss += v * g.margin * g.margin
			so += v * g.margin
			oo += v
		}
		det := ss*oo - so*so
		ds, do := (oo*slope-so*offset)/det, (ss*offset-so*slope)/det
		if math.IsNaN(ds) || math.IsNaN(do) {
			return
		}
		// A step is kept short: far out Newton's method overshoots.
		c.slope -= min(max(ds, -1), 1)
		c.offset -= min(max(do, -1), 1)
		if math.Abs(ds)+math.Abs(do) < 1e-6 {
			break
		}
	}
	c.slope = max(c.slope, 0.05) // a riskier comment stays the riskier one
	h.calibration = c
}

// Measured is how a threshold would have done on the model's recent guesses, each made before
// the decision was known.
type Measured struct {
	Decisions int // looked back on, at most 1,024
	Positive  int // of them decided so
	Flagged   int // of them at or over the threshold
	Right     int // flagged and decided so
}

// Precision is the share of the flagged that were right, and 0 when none was flagged.
func (m Measured) Precision() float64 {
	if m.Flagged == 0 {
		return 0
	}
	return float64(m.Right) / float64(m.Flagged)
}

// Recall is the share of the positive that were flagged, and 0 when there was none.
func (m Measured) Recall() float64 {
	if m.Positive == 0 {
		return 0
	}
	return float64(m.Right) / float64(m.Positive)
}

// At measures a threshold on the site's own recent decisions.
func (m *Model) At(threshold float64) Measured {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := Measured{Decisions: len(m.recent.guesses)}
	for _, g := range m.recent.guesses {
		flagged := g.probability >= threshold
		if flagged {
			out.Flagged++
		}
		if g.positive {
			out.Positive++
			if flagged {
				out.Right++
			}
		}
	}
	return out
}

// Bin is how the model did over a stretch of its recent guesses.
type Bin struct {
	Decisions int
	AUC       float64 // one half where all were decided alike
}

// curveBins is into how many stretches the recent guesses are cut.
const curveBins = 8

// Curve is how the model did over time: its recent guesses, each made before the decision was
// known, in up to eight stretches, oldest first.
func (m *Model) Curve() (bins []Bin) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	size := max((len(m.recent.guesses)+curveBins-1)/curveBins, 25)
	for part := range slices.Chunk(m.recent.guesses, size) {
		r := make(ranking, len(part))
		for i, g := range part {
			r[i] = ranked{g.probability, g.positive}
		}
		bins = append(bins, Bin{len(part), r.auc()})
	}
	return bins
}
