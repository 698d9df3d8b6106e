package captcha

import (
	"bytes"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dchest/captcha"

	"duyet/comments"
)

func speaker(t testing.TB, folder string) *Speaker {
	t.Helper()
	s, err := NewSpeaker(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func speak(t testing.TB, s *Speaker, ticket comments.Ticket, lang string) []float32 {
	t.Helper()
	wav, spoken, err := s.Speak(ticket, lang)
	if err != nil || spoken != lang {
		t.Fatalf("spoken in %q, %v", spoken, err)
	}
	samples, err := decodeWAV(wav)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// plan is where the digits of a ticket's sound are.
func plan(s *Speaker, ticket comments.Ticket, lang string) []utterance {
	seed := sha256.Sum256(append([]byte("duyet sound v1"), ticket.ID[:]...))
	_, p := compose(nil, s.voices[lang], ticket.Digits, rand.New(rand.NewChaCha8(seed)))
	return p
}

func seconds(samples int) float64 { return float64(samples) / sampleRate }

func decibels(ratio float32) float64 { return 20 * math.Log10(float64(ratio)) }

func TestSound(t *testing.T) {
	s, keys := speaker(t, ""), sealer(t, newKey)
	for _, lang := range []string{"vi", "en"} {
		quietest, longest, shortest := math.Inf(1), 0.0, math.Inf(1)
		for range 100 {
			_, ticket := issue(t, keys)
			samples := speak(t, s, ticket, lang)
			length := seconds(len(samples))
			longest, shortest = max(longest, length), min(shortest, length)
			if length >= 10 || length < 4 {
				t.Fatalf("%s: %.1f s", lang, length)
			}
			if p := peak(samples); p > 0.999 {
				t.Errorf("%s: peak %.2f is cut", lang, p)
			}
			before := leadIn
			p := plan(s, ticket, lang)
			for i, u := range p {
				if i > 0 {
					if gap := seconds(u.from - before); gap < 0.5 || gap > 1.001 {
						t.Errorf("%s: a gap of %.2f s", lang, gap)
					}
					quietest = min(quietest, decibels(level(samples[u.from:u.to])/level(samples[before:u.from])))
				}
				before = u.to
			}
		}
		t.Logf("%s: %.1f to %.1f s, a digit at least %.1f dB above the noise before it", lang, shortest, longest, quietest)
		if quietest < 9 {
			t.Errorf("%s: a digit is only %.1f dB above the noise", lang, quietest)
		}
	}
}

func TestOneTicketOneSound(t *testing.T) {
	s, keys := speaker(t, ""), sealer(t, newKey)
	_, a := issue(t, keys)
	_, b := issue(t, keys)
	b.Digits = a.Digits
	want, _, _ := s.Speak(a, "vi")
	if other, _, _ := s.Speak(b, "vi"); bytes.Equal(want, other) {
		t.Error("two tickets with one code sound alike")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if got, _, _ := s.Speak(a, "vi"); !bytes.Equal(got, want) {
					t.Error("one ticket has two sounds")
				}
				s.Speak(b, "en")
			}
		})
	}
	wg.Wait()
}

func TestLanguages(t *testing.T) {
	s := speaker(t, "")
	_, ticket := issue(t, sealer(t, newKey))
	if got, want := s.Languages(), []string{"en", "ja", "pt", "ru", "vi", "zh"}; !slices.Equal(got, want) {
		t.Errorf("languages %v", got)
	}
	for asked, want := range map[string]string{
		"vi": "vi", "vi-VN": "vi", "VI": "vi", "en-GB": "en", "en_US": "en", "ja": "ja", "pt-BR": "pt", "zh-Hant": "zh", "ru": "ru",
		"": "en", "fr": "en", "tr": "en", "v": "en", "../vi": "en", "vie": "en",
	} {
		wav, spoken, err := s.Speak(ticket, asked)
		if err != nil || spoken != want || s.Language(asked) != want {
			t.Errorf("asked for %q, spoken in %q, said to be in %q: %v", asked, spoken, s.Language(asked), err)
		}
		if samples, err := decodeWAV(wav); err != nil || len(samples) < 3*sampleRate {
			t.Errorf("%q: %d samples, %v", asked, len(samples), err)
		}
	}
	for _, digits := range [][]byte{nil, {1, 2, 3}, {1, 2, 3, 4, 5, 10}} {
		if _, _, err := s.Speak(comments.Ticket{Digits: digits}, "vi"); err == nil {
			t.Errorf("digits %v are spoken", digits)
		}
	}
}

// TestLibraryLanguages: the library speaks English in a language it lacks, without a word.
func TestLibraryLanguages(t *testing.T) {
	in := func(lang string) []byte {
		var b bytes.Buffer
		if _, err := captcha.NewAudio("a", []byte{1, 2, 3, 4, 5, 6}, lang).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	english := in("en")
	for _, lang := range speaker(t, "").library {
		if bytes.Equal(in(lang), english) {
			t.Errorf("%s is English", lang)
		}
	}
	if !bytes.Equal(in("vi"), english) {
		t.Error("the library has learnt Vietnamese")
	}
}

// TestDigitsAreDistinct recognises each spoken digit, through noise and at its changed
// speed, by the recording it is nearest to.
func TestDigitsAreDistinct(t *testing.T) {
	s, keys := speaker(t, ""), sealer(t, newKey)
	for _, lang := range []string{"vi", "en"} {
		v := s.voices[lang]
		var known [10][]float64
		for d := range v {
			known[d] = features(v[d])
		}
		right, all := 0, 0
		for range 60 {
			_, ticket := issue(t, keys)
			samples := speak(t, s, ticket, lang)
			for i, u := range plan(s, ticket, lang) {
				heard := features(samples[u.from:u.to])
				best, distance := 0, math.Inf(1)
				for d := range known {
					if x := apart(heard, known[d]); x < distance {
						best, distance = d, x
					}
				}
				if all++; best == int(ticket.Digits[i]) {
					right++
				}
			}
		}
		t.Logf("%s: %d of %d digits recognised", lang, right, all)
		if right < all*95/100 {
			t.Errorf("%s: %d of %d digits recognised", lang, right, all)
		}
	}
}

// features are the energies of a sound in 16 stretches of time and 18 bands of frequency.
func features(samples []float32) []float64 {
	const stretches, bands = 16, 18
	out := make([]float64, 0, stretches*bands)
	for i := range stretches {
		part := samples[i*len(samples)/stretches : (i+1)*len(samples)/stretches]
		for b := range bands {
			// Goertzel's algorithm, with bands a constant ratio apart.
			freq := 200 * math.Pow(3600.0/200, float64(b)/(bands-1))
			c := 2 * math.Cos(2*math.Pi*freq/sampleRate)
			var s1, s2 float64
			for _, x := range part {
				s1, s2 = float64(x)+c*s1-s2, s1
			}
			power := (s1*s1 + s2*s2 - c*s1*s2) / float64(len(part))
			out = append(out, math.Log(power+0.01))
		}
	}
	return out
}

func apart(a, b []float64) (sum float64) {
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return sum
}

func TestRecordings(t *testing.T) {
	for lang, v := range speaker(t, "").voices {
		for d, samples := range v {
			length := time.Duration(len(samples)) * time.Second / sampleRate
			if length < 150*time.Millisecond || length > 600*time.Millisecond {
				t.Errorf("%s %d takes %s", lang, d, length)
			}
			if l := decibels(level(samples) / speechLevel); l < -3 || l > 0.1 {
				t.Errorf("%s %d is %.1f dB off", lang, d, l)
			}
		}
	}
}

func BenchmarkSpeak(b *testing.B) {
	for _, lang := range []string{"vi", "en", "ja"} {
		b.Run(lang, func(b *testing.B) {
			s := speaker(b, "")
			_, ticket := issue(b, sealer(b, newKey))
			var wav []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if wav, _, err = s.Speak(ticket, lang); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(wav)), "B/sound")
		})
	}
}
