package captcha

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// recordings are our own; sounds/README.md says where they come from.
//
//go:embed sounds/vi/*.wav sounds/en/*.wav
var recordings embed.FS

// How long a recorded digit may be once trimmed, and how large its file.
const (
	digitLeast = 50 * time.Millisecond
	digitMost  = 950 * time.Millisecond
	fileMost   = 256 << 10
)

// speechLevel is the root mean square that every digit is brought to, unless its peaks
// would be cut.
const speechLevel = 0.13

// voice is the ten digits in one language, trimmed and equally loud.
type voice [10][]float32

// loadVoice reads {dir}/0.wav … 9.wav.
func loadVoice(fsys fs.FS, dir string) (*voice, error) {
	var v voice
	for digit := range v {
		name := path.Join(dir, fmt.Sprintf("%d.wav", digit))
		samples, err := loadDigit(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is missing: a voice is 0.wav to 9.wav", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w (sox IN.wav -r 8000 -c 1 -b 16 OUT.wav makes what is read)", name, err)
		}
		v[digit] = samples
	}
	return &v, nil
}

func loadDigit(fsys fs.FS, name string) ([]float32, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > fileMost {
		return nil, fmt.Errorf("%d bytes are more than one digit takes, %d", info.Size(), fileMost)
	}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	samples, err := decodeWAV(b)
	if err != nil {
		return nil, err
	}
	samples = trim(samples)
	if d := time.Duration(len(samples)) * time.Second / sampleRate; d < digitLeast || d > digitMost {
		return nil, fmt.Errorf("%s of sound, not from %s to %s", d.Round(time.Millisecond), digitLeast, digitMost)
	}
	gain := min(speechLevel/level(samples), 0.85/peak(samples))
	for i := range samples {
		samples[i] *= gain
	}
	return samples, nil
}

// loadVoices reads our own voices and, in their place or beside them, those of a folder
// with a folder for each language ("vi", "fr", …); "" is none.
func loadVoices(folder string) (map[string]*voice, error) {
	voices := make(map[string]*voice)
	for _, lang := range []string{"vi", "en"} {
		v, err := loadVoice(recordings, "sounds/"+lang)
		if err != nil {
			return nil, fmt.Errorf("embedded sounds: %w", err)
		}
		voices[lang] = v
	}
	if folder == "" {
		return voices, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("sounds: %w", err)
	}
	found := false
	for _, e := range entries {
		lang := e.Name()
		if info, err := os.Stat(filepath.Join(folder, lang)); err != nil || !info.IsDir() || strings.HasPrefix(lang, ".") {
			continue
		}
		if !isLanguage(lang) {
			return nil, fmt.Errorf("sounds: %s is not named for a language, like vi", filepath.Join(folder, lang))
		}
		if voices[lang], err = loadVoice(os.DirFS(folder), lang); err != nil {
			return nil, fmt.Errorf("sounds in %s: %w", folder, err)
		}
		found = true
	}
	if !found {
		return nil, fmt.Errorf("sounds: %s holds no folder named for a language, like vi", folder)
	}
	return voices, nil
}

// isLanguage reports whether s is the language part of a tag: two or three small letters.
func isLanguage(s string) bool {
	if len(s) < 2 || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}
