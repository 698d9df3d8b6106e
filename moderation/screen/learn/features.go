package learn

import (
	"math"
	"slices"
	"unicode"
)

// A text becomes a sparse vector of three groups, each scaled to a length of its own: words
// (one and two in a row, and each without its diacritics), pieces of words (2 to 5 characters
// within a word's edges), and style (length, capitals, signs). Words and pieces are hashed into
// buckets (Weinberger et al., Feature Hashing, ICML 2009) and weighted by how rare they are.
const (
	bucketBits  = 18
	buckets     = 1 << bucketBits
	styles      = 64 // the first buckets are the style's, never hashed into
	minGram     = 2
	maxGram     = 5
	maxGramRune = 40 // pieces are taken of the first characters of a longer word

	wordScale  = 1.0
	gramScale  = 0.7
	styleScale = 0.3

	idfPower = 1.3 // rare words count a little more than is usual
)

// Seeds keep the kinds of hashed features apart.
const (
	seedWord uint64 = iota + 1
	seedPlain
	seedPair
	seedSign
	seedShout
	seedHost
	seedGram
)

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashOn(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

func seeded(seed uint64) uint64 { return (fnvOffset ^ seed) * fnvPrime }

// bucket folds a hash into the buckets after the style's.
func bucket(h uint64) uint32 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return styles + uint32(h%(buckets-styles))
}

// extractor holds the scratch of one extraction. A hit is bucket<<32 | number of its token.
type extractor struct {
	tokens []token
	words  []uint64
	grams  []uint64
	style  [styles]float32
	weight []float32 // of the group at hand, before it is scaled
	vector vector    // for a score that keeps nothing

	idf   [256]float64 // of buckets found in so few texts, among idfOf; 0 where not reckoned yet
	idfOf uint64
}

// read fills the extractor from text.
func (x *extractor) read(text string) {
	x.tokens = tokenize(x.tokens[:0], text)
	x.words, x.grams = x.words[:0], x.grams[:0]
	before := "^"
	for i, t := range x.tokens {
		switch t.kind {
		case punct:
			x.word(seedSign, t.form, i)
			continue
		case link:
			x.word(seedHost, "", i)
			x.word(seedHost, linkHost(t.form), i)
		}
		x.word(seedWord, t.form, i)
		x.plainWord(t.form, i)
		if t.kind == word && shouted(text[t.start:t.end]) {
			x.word(seedShout, t.form, i)
		}
		pair := hashOn(hashOn(hashOn(seeded(seedPair), before), " "), t.form)
		x.words = append(x.words, uint64(bucket(pair))<<32|uint64(i))
		before = t.form
		x.pieces(t.form, i)
	}
	slices.Sort(x.words)
	slices.Sort(x.grams)
	x.readStyle(text)
}

func (x *extractor) word(seed uint64, form string, token int) {
	x.words = append(x.words, uint64(bucket(hashOn(seeded(seed), form)))<<32|uint64(token))
}

func (x *extractor) plainWord(form string, token int) {
	h := seeded(seedPlain)
	for _, r := range form {
		h = (h ^ uint64(bare(r))) * fnvPrime
	}
	x.words = append(x.words, uint64(bucket(h))<<32|uint64(token))
}

// pieces adds the runs of 2 to 5 characters of " form ".
func (x *extractor) pieces(form string, token int) {
	const edge = ' '
	var padded [maxGramRune + 2]rune
	padded[0] = edge
	n := 1
	for _, r := range form {
		if n > maxGramRune {
			break
		}
		padded[n] = r
		n++
	}
	padded[n] = edge
	n++
	for i := 0; i+minGram <= n; i++ {
		h := seeded(seedGram)
		for k := i; k < min(i+maxGram, n); k++ {
			h = (h ^ uint64(padded[k])) * fnvPrime
			if k-i+1 >= minGram {
				x.grams = append(x.grams, uint64(bucket(h))<<32|uint64(token))
			}
		}
	}
}

// shouted reports whether a word of two letters or more is all capitals.
func shouted(s string) bool {
	letters := 0
	for _, r := range s {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	return letters > 1
}

// vector is a text as the model sees it: buckets and their values as bfloat16 (a float32's
// upper half; three digits are plenty), so that what is kept of an example is small and comes
// back from storage exactly. A bucket may occur once for words and once for pieces.
type vector struct {
	at    []uint32
	val   []uint16
	words int // of these, the first, are words; pieces and style follow
}

func bfloat(v float32) uint16 {
	b := math.Float32bits(v)
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func (v vector) value(i int) float32 { return math.Float32frombits(uint32(v.val[i]) << 16) }

// square is the vector's squared length with the constant 1 that carries the bias.
func (v vector) square() float64 {
	q := 1.0
	for i := range v.val {
		f := float64(v.value(i))
		q += f * f
	}
	return q
}

// appendVector weighs what was read by how rare it is: tf·idf with a damped tf (Salton and
// Buckley, 1988), idf being that of the n texts counted in df so far.
func (x *extractor) appendVector(v vector, df []uint32, n uint64) vector {
	v = x.weigh(v, x.words, wordScale, df, n)
	v.words = len(v.at)
	v = x.weigh(v, x.grams, gramScale, df, n)
	for i, s := range x.style {
		if s != 0 {
			v.at = append(v.at, uint32(i))
			v.val = append(v.val, bfloat(s*styleScale))
		}
	}
	return v
}

// weigh appends one value for each distinct bucket of hits, in their order.
func (x *extractor) weigh(v vector, hits []uint64, scale float64, df []uint32, n uint64) vector {
	x.weight = x.weight[:0]
	var square float64
	for i, j := 0, 0; i < len(hits); i = j {
		j = sameBucket(hits, i)
		b := uint32(hits[i] >> 32)
		w := x.rarity(df[b], n)
		if j-i > 1 {
			w *= 1 + math.Log(float64(j-i))
		}
		square += w * w
		v.at = append(v.at, b)
		x.weight = append(x.weight, float32(w))
	}
	scale /= math.Sqrt(max(square, 1e-12))
	for _, w := range x.weight {
		v.val = append(v.val, bfloat(w*float32(scale)))
	}
	return v
}

// rarity is the weight of a bucket that occurs in df of n texts.
func (x *extractor) rarity(df uint32, n uint64) float64 {
	if n != x.idfOf {
		clear(x.idf[:])
		x.idfOf = n
	}
	if df < uint32(len(x.idf)) && x.idf[df] != 0 {
		return x.idf[df]
	}
	w := math.Pow(max(0, 1+math.Log((float64(n)+1)/(float64(df)+1))), idfPower)
	if df < uint32(len(x.idf)) {
		x.idf[df] = w
	}
	return w
}

// sameBucket is the end of the run of hits on one bucket that begins at i.
func sameBucket(hits []uint64, i int) int {
	j := i + 1
	for j < len(hits) && hits[j]>>32 == hits[i]>>32 {
		j++
	}
	return j
}

// Style's buckets: the first few, then a ladder of lengths.
const (
	styleUpper = iota
	styleShout
	styleExclaim
	styleQuestion
	styleDigits
	styleLinks
	styleEmoji
	styleStretched
	styleSigns
	styleUnspaced
	styleLength
	styleLadder // one rung for each doubling of the length, from 4 characters on
)

const styleRungs = 10

func (x *extractor) readStyle(text string) {
	clear(x.style[:])
	var all, upper, lower, digits, exclaim, question, spaces, emoji, signs, stretched, links float64
	var last rune
	run := 0
	for _, r := range text {
		if r >= 0x300 && (unicode.Is(unicode.Mn, r) || invisible(r)) {
			continue // a mark belongs to its letter
		}
		all++
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case unicode.IsDigit(r):
			digits++
		case r == '!':
			exclaim++
		case r == '?':
			question++
		case unicode.IsSpace(r):
			spaces++
		case r >= 0x1F000:
			emoji++
		default:
			signs++
		}
		if r == last && unicode.IsLetter(r) {
			if run++; run == 2 {
				stretched++
			}
		} else {
			run = 0
		}
		last = r
	}
	for _, t := range x.tokens {
		if t.kind == link {
			links++
		}
	}
	put := func(i int, v float64) { x.style[i] = float32(min(v, 1)) }
	put(styleUpper, 2*upper/(upper+lower+1))
	put(styleShout, oneIf(upper > 8 && upper > 2*lower))
	put(styleExclaim, exclaim/4)
	put(styleQuestion, question/4)
	put(styleDigits, 5*digits/(all+1))
	put(styleLinks, links)
	put(styleEmoji, emoji/3)
	put(styleStretched, stretched)
	put(styleSigns, 5*signs/(all+1))
	put(styleUnspaced, oneIf(spaces == 0))
	put(styleLength, math.Log1p(all)/7)
	length := math.Log2(all + 1)
	for i := range styleRungs {
		put(styleLadder+i, max(0, 1-math.Abs(length-float64(i+2))))
	}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
