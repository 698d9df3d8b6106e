package learn

import (
	"math"
	"slices"
)

// counts is in how many texts of each answer a word occurred. What they say of a text is added
// to what the weights say: counting needs few examples and forgets none of them, weights tell
// words apart that come together (Ng and Jordan, On Discriminative vs. Generative Classifiers,
// NIPS 2001; Wang and Manning, Baselines and Bigrams, ACL 2012). Undoing a decision is exact.
type counts struct {
	of    [2][]uint32 // by bucket: texts decided negative, positive
	texts [2]uint64
}

const (
	countScale  = 0.5 // of what the counts say, beside the weights
	countSmooth = 0.1 // texts of each answer that each word is taken to have been in beforehand
	countFew    = 50  // texts of the rarer answer at which the counts are trusted by half
	countDamp   = 0.7 // words of a text are not independent: their sum grows by this power less
)

func newCounts() counts {
	return counts{of: [2][]uint32{make([]uint32, buckets), make([]uint32, buckets)}}
}

func (c *counts) clone() counts {
	return counts{of: [2][]uint32{slices.Clone(c.of[0]), slices.Clone(c.of[1])}, texts: c.texts}
}

// add counts a text's words once, or takes them back.
func (c *counts) add(v vector, positive bool, by int) {
	k := int(oneIf(positive))
	c.texts[k] += uint64(by)
	for _, b := range v.at[:v.words] {
		if by > 0 || c.of[k][b] > 0 {
			c.of[k][b] += uint32(by)
		}
	}
}

// weight is the log of how much likelier a word is in a positive text.
func (c *counts) weight(b uint32) float64 {
	positive := (float64(c.of[1][b]) + countSmooth) / (float64(c.texts[1]) + 2*countSmooth)
	negative := (float64(c.of[0][b]) + countSmooth) / (float64(c.texts[0]) + 2*countSmooth)
	return math.Log(positive / negative)
}

// scale is what a word's weight counts for in a text: nothing until both answers were given.
func (c *counts) scale(v vector) float64 {
	few := float64(min(c.texts[0], c.texts[1]))
	return countScale * few / (few + countFew) / math.Pow(float64(v.words+1), countDamp)
}

func (c *counts) margin(v vector) float64 {
	scale := c.scale(v)
	if scale == 0 {
		return 0
	}
	sum := 0.0
	for _, b := range v.at[:v.words] {
		sum += c.weight(b)
	}
	return sum * scale
}
