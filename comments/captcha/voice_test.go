package captcha

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tone is a recording of a tone with silence around it.
func tone(seconds float64) []float32 {
	const silence = sampleRate / 10
	samples := make([]float32, int(seconds*sampleRate)+2*silence)
	for i := silence; i < len(samples)-silence; i++ {
		samples[i] = 0.5 * float32(math.Sin(float64(i)*2*math.Pi*440/sampleRate))
	}
	return samples
}

// wav16 is 16-bit PCM at any rate and of any number of channels.
func wav16(samples []float32, rate uint32, channels uint16) []byte {
	b := encodeWAV(nil)[:44]
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(s*32767)))
	}
	binary.LittleEndian.PutUint16(b[22:], channels)
	binary.LittleEndian.PutUint32(b[24:], rate)
	binary.LittleEndian.PutUint16(b[34:], 16)
	binary.LittleEndian.PutUint32(b[40:], uint32(len(b)-44))
	return b
}

func record(t *testing.T, folder, lang string, wav []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, lang), 0o755); err != nil {
		t.Fatal(err)
	}
	for d := range 10 {
		if err := os.WriteFile(filepath.Join(folder, lang, string(rune('0'+d))+".wav"), wav, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOperatorsVoice(t *testing.T) {
	folder := t.TempDir()
	record(t, folder, "vi", wav16(tone(0.3), sampleRate, 1))
	record(t, folder, "fr", encodeWAV(tone(0.9)))
	if err := os.WriteFile(filepath.Join(folder, "README.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := speaker(t, folder)
	if got, want := s.Languages(), []string{"en", "fr", "ja", "pt", "ru", "vi", "zh"}; !slices.Equal(got, want) {
		t.Errorf("languages %v", got)
	}
	for lang, want := range map[string]float64{"vi": 0.3, "fr": 0.9} {
		if got := seconds(len(s.voices[lang][7])); math.Abs(got-want) > 0.03 {
			t.Errorf("%s: a recording of %.1f s is trimmed to %.2f s", lang, want, got)
		}
	}
	_, ticket := issue(t, sealer(t, newKey))
	if length := seconds(len(speak(t, s, ticket, "fr"))); length >= 10 {
		t.Errorf("with the longest recordings a code takes %.1f s", length)
	}
	if p := decibels(level(s.voices["vi"][0]) / speechLevel); math.Abs(p) > 0.5 {
		t.Errorf("a recording is %.1f dB off", p)
	}
}

func TestOperatorsFolderRefused(t *testing.T) {
	good := wav16(tone(0.3), sampleRate, 1)
	tests := map[string]struct {
		make func(t *testing.T, folder string)
		want string
	}{
		"empty":      {func(*testing.T, string) {}, "no folder named for a language"},
		"name":       {func(t *testing.T, f string) { record(t, f, "VI", good) }, "not named for a language"},
		"incomplete": {func(t *testing.T, f string) { record(t, f, "vi", good); os.Remove(filepath.Join(f, "vi", "7.wav")) }, "vi/7.wav is missing"},
		"no sound":   {func(t *testing.T, f string) { record(t, f, "vi", []byte("<html>not a sound</html>")) }, "vi/0.wav: no WAVE file"},
		"cut":        {func(t *testing.T, f string) { record(t, f, "vi", good[:1000]) }, "cut off"},
		"rate":       {func(t *testing.T, f string) { record(t, f, "vi", wav16(tone(0.3), 44100, 1)) }, "44100 Hz"},
		"stereo":     {func(t *testing.T, f string) { record(t, f, "vi", wav16(tone(0.3), sampleRate, 2)) }, "2 channels"},
		"silent":     {func(t *testing.T, f string) { record(t, f, "vi", wav16(make([]float32, 8000), sampleRate, 1)) }, "0s of sound"},
		"long":       {func(t *testing.T, f string) { record(t, f, "vi", wav16(tone(1.2), sampleRate, 1)) }, "of sound, not from"},
		"huge":       {func(t *testing.T, f string) { record(t, f, "vi", make([]byte, fileMost+1)) }, "more than one digit"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			tt.make(t, folder)
			if _, err := NewSpeaker(folder); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, not one with %q", err, tt.want)
			}
		})
	}
	if _, err := NewSpeaker(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a folder that isn't there is taken")
	}
}

func TestMuLaw(t *testing.T) {
	// ITU-T G.711, table 2a: the ends of the scale and the steps next to zero.
	for code, want := range map[byte]float32{0xff: 0, 0x7f: 0, 0xfe: 8. / 32768, 0x7e: -8. / 32768, 0x80: 32124. / 32768, 0x00: -32124. / 32768} {
		if got := muLaw(code); got != want {
			t.Errorf("%#x is %v, not %v", code, got, want)
		}
	}
}

func FuzzDecodeWAV(f *testing.F) {
	f.Add(wav16(tone(0.01), sampleRate, 1))
	f.Add(encodeWAV(tone(0.01)))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\x01\x00\x00\x00"))
	b, err := recordings.ReadFile("sounds/vi/0.wav")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, err := decodeWAV(b)
		if err != nil && samples != nil || len(samples) > len(b) {
			t.Fatalf("%d samples of %d bytes, %v", len(samples), len(b), err)
		}
		if p := peak(trim(samples)); p > 1 {
			t.Fatalf("peak %v", p)
		}
	})
}
