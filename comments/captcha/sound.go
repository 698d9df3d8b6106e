package captcha

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/dchest/captcha"

	"duyet/comments"
)

// FallbackLanguage is spoken where no recordings are of the language asked for.
const FallbackLanguage = "en"

// How a sound is composed, in samples: noise alone before the first digit, from gapLeast
// to gapMost between digits, noise alone after the last, and never more than soundMost.
const (
	leadIn    = sampleRate * 6 / 10
	leadOut   = sampleRate * 4 / 10
	gapLeast  = sampleRate / 2
	gapMost   = sampleRate
	soundMost = sampleRate * 99 / 10
)

// Digits are spoken from slowest to fastest times as fast as they were recorded, their
// pitch going along: less than a semitone and a half either way, which leaves Vietnamese
// tones their shape.
const (
	slowest = 0.92
	fastest = 1.08
)

// noiseLevel is the root mean square of the noise, 15 dB below speechLevel. Around the
// softest digits, six and seven, and where the noise is loudest, 9 dB are left.
const noiseLevel = speechLevel * 0.178

// Speaker speaks codes. It is safe for concurrent use.
type Speaker struct {
	voices  map[string]*voice
	library []string // languages spoken with the library's recordings
	buffers sync.Pool
}

// NewSpeaker prepares our own recordings, Vietnamese and English. A folder that is not ""
// holds an operator's, which go before: {folder}/{language}/0.wav … 9.wav, each a digit of
// at most 950 ms once trimmed, mono, 8 kHz, PCM of 8 or 16 bits or mu-law. The error says
// which file is wrong and how.
func NewSpeaker(folder string) (*Speaker, error) {
	voices, err := loadVoices(folder)
	if err != nil {
		return nil, err
	}
	return &Speaker{voices: voices, library: []string{"ja", "pt", "ru", "zh"}}, nil
}

// Languages lists what is spoken, sorted.
func (s *Speaker) Languages() []string {
	all := slices.AppendSeq(slices.Clone(s.library), maps.Keys(s.voices))
	slices.Sort(all)
	return slices.Compact(all)
}

// Language is what a code is spoken in for whoever asks for lang, a tag such as "vi",
// "en-GB" or "pt_BR": that language, or FallbackLanguage.
func (s *Speaker) Language(lang string) string {
	lang, _, _ = strings.Cut(strings.ToLower(strings.ReplaceAll(lang, "_", "-")), "-")
	if s.voices[lang] != nil || slices.Contains(s.library, lang) {
		return lang
	}
	return FallbackLanguage
}

// Speak is the code of a ticket as a WAVE file, and the language that is truly spoken; see
// Language. With our recordings or an operator's it takes less than 10 s and 80 kB, and a
// ticket sounds the same every time; with the library's it takes 12 to 21 s. The error
// tells of a ticket that has no code of ours.
func (s *Speaker) Speak(t comments.Ticket, lang string) (wav []byte, spoken string, err error) {
	if err := checkDigits(t.Digits); err != nil {
		return nil, "", err
	}
	spoken = s.Language(lang)
	v := s.voices[spoken]
	if v == nil {
		var b bytes.Buffer
		if _, err := captcha.NewAudio(base64.RawStdEncoding.EncodeToString(t.ID[:]), t.Digits, spoken).WriteTo(&b); err != nil {
			return nil, "", fmt.Errorf("captcha sound: %w", err)
		}
		return b.Bytes(), spoken, nil
	}
	buf, _ := s.buffers.Get().(*[]float32)
	if buf == nil {
		buf = new([]float32)
	}
	defer s.buffers.Put(buf)
	rng := rand.New(rand.NewChaCha8(sha256.Sum256(append([]byte("duyet sound v1"), t.ID[:]...))))
	var plan []utterance
	*buf, plan = compose((*buf)[:0], v, t.Digits, rng)
	for _, u := range plan {
		u.mix(*buf)
	}
	scale := min(1, loudest/peak(*buf)) // a loud digit on loud noise would be cut
	for i := range *buf {
		(*buf)[i] *= scale
	}
	return encodeWAV(*buf), spoken, nil
}

// loudest is the peak that a sound may have, of 1.
const loudest = 0.97

// utterance is one digit in a sound.
type utterance struct {
	digit    []float32
	from, to int // samples of the sound
	gain     float32
}

// compose plans where each digit goes and lays the noise under it.
func compose(buf []float32, v *voice, digits []byte, rng *rand.Rand) ([]float32, []utterance) {
	plan := make([]utterance, len(digits))
	spare := soundMost - leadIn - leadOut - gapLeast*(len(digits)-1)
	for i, d := range digits {
		length := int(float64(len(v[d])) / (slowest + (fastest-slowest)*rng.Float64()))
		plan[i] = utterance{digit: v[d], to: length, gain: 0.9 + 0.2*rng.Float32()}
		spare -= length
	}
	longer := max(0, min(gapMost-gapLeast, spare/(len(digits)-1))) // than gapLeast, at most
	at := leadIn
	for i := range plan {
		plan[i].from = at
		plan[i].to += at
		at = plan[i].to + gapLeast + rng.IntN(longer+1)
	}
	length := plan[len(plan)-1].to + leadOut
	return noise(buf, length, v, rng), plan
}

// noise is length samples of hiss with snatches of the voice's own digits, backwards, so
// that a digit is not found by its sound beginning or by looking for speech.
func noise(buf []float32, length int, v *voice, rng *rand.Rand) []float32 {
	buf = slices.Grow(buf, length)[:length]
	var low float32
	for i := range buf {
		low += 0.4 * (2*rng.Float32() - 1 - low)
		buf[i] = low
	}
	hiss := level(buf)
	for at := 0; at < length; at += sampleRate/8 + rng.IntN(sampleRate/4) {
		snatch := v[rng.IntN(len(v))]
		gain := hiss / speechLevel * (0.3 + 0.5*rng.Float32())
		for i := 0; i < len(snatch) && at+i < length; i++ {
			buf[at+i] += gain * snatch[len(snatch)-1-i]
		}
	}
	gain := noiseLevel / level(buf)
	for i := range buf {
		buf[i] *= gain
	}
	return buf
}

// mix adds the digit to a sound, stretched to its length.
func (u utterance) mix(sound []float32) {
	step := float64(len(u.digit)-1) / float64(u.to-u.from)
	for i := u.from; i < u.to; i++ {
		p := float64(i-u.from) * step
		k := int(p)
		f := float32(p - float64(k))
		sound[i] += u.gain * (u.digit[k]*(1-f) + u.digit[k+1]*f)
	}
}
