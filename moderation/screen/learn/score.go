package learn

import (
	"cmp"
	"slices"
)

// Reason is a word that moved a score.
type Reason struct {
	Word   string  // lower case, as it was read
	Weight float64 // share of the log-odds, over 0
	Places []Span  // where the word stands
}

// Span is a stretch of a text in bytes.
type Span struct{ Start, End int }

// Score is the probability that a text is positive, 0 to 1, calibrated on recent decisions.
func (m *Model) Score(text string) float64 {
	x := m.scratch.Get().(*extractor)
	defer m.scratch.Put(x)
	x.read(text)
	m.mu.RLock()
	defer m.mu.RUnlock()
	x.vector = x.appendVector(vector{at: x.vector.at[:0], val: x.vector.val[:0]}, m.df, m.texts)
	return m.recent.probability(m.margin(x.vector) + m.counts.margin(x.vector))
}

// Explain is Score with the words that spoke most for positive, at most n, the strongest first.
// A piece of a word counts for its word, a pair for its second word.
func (m *Model) Explain(text string, n int) (probability float64, reasons []Reason) {
	x := m.scratch.Get().(*extractor)
	defer m.scratch.Put(x)
	x.read(text)
	m.mu.RLock()
	v := x.appendVector(vector{}, m.df, m.texts)
	probability = m.recent.probability(m.margin(v) + m.counts.margin(v))
	share, slope := m.shares(x, v), m.recent.slope
	m.mu.RUnlock()

	byWord := map[string]*Reason{}
	for i, t := range x.tokens {
		r := byWord[t.form]
		if r == nil {
			r = &Reason{Word: t.form}
			byWord[t.form] = r
		}
		r.Weight += share[i] * slope
		r.Places = append(r.Places, Span{t.start, t.end})
	}
	for _, r := range byWord {
		if r.Weight > 0 {
			reasons = append(reasons, *r)
		}
	}
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Places[0].Start, b.Places[0].Start))
	})
	return probability, reasons[:min(max(n, 0), len(reasons))]
}

// shares deals the margin out to the tokens it came from. Style and bias belong to none.
func (m *Model) shares(x *extractor, v vector) []float64 {
	out := make([]float64, len(x.tokens))
	k, scale := 0, m.counts.scale(v)
	for _, hits := range [...][]uint64{x.words, x.grams} {
		for i, j := 0, 0; i < len(hits); i = j {
			j = sameBucket(hits, i)
			part := float64(m.weights[v.at[k]]) * float64(v.value(k))
			if k < v.words {
				part += m.counts.weight(v.at[k]) * scale
			}
			part /= float64(j - i)
			for _, h := range hits[i:j] {
				out[uint32(h)] += part
			}
			k++
		}
	}
	return out
}
