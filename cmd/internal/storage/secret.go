package storage

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"duyet/comments/boltstore"
)

// SecretFile is the name of the secret in the data folder.
const SecretFile = "secret.key"

// keySize is the length of a master key in bytes.
const keySize = 32

// ErrBadSecret is a secret that can't be read as one.
var ErrBadSecret = errors.New("is no secret: it takes one to three lines of 44 base64 characters; put back the one from your backup")

// Secret is what an installation keeps to itself: its master keys, newest first. The
// first seals. The second, if there is one, was the first before the last rotation and
// still opens. The last is the installation's first key and stays through all rotations:
// the journal's chain is keyed by it, so that a journal can be verified from its first
// event on, and the store knows the installation by it. So a secret has one to three
// keys: as made; current and first; current, previous and first.
//
// Its text, in secret.key and DUYET_SECRET, is a key a line in base64; lines that begin
// with # and space around keys are passed over, and commas stand for line ends.
type Secret struct{ keys [][]byte }

// NewSecret makes a secret of one random key.
func NewSecret() Secret {
	return Secret{[][]byte{newKey()}}
}

func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key) // never fails, see crypto/rand
	return key
}

// ParseSecret reads a secret's text; the error is ErrBadSecret.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "" {
				continue
			}
			key, err := base64.StdEncoding.Strict().DecodeString(field)
			if err != nil || len(key) != keySize {
				return Secret{}, ErrBadSecret
			}
			s.keys = append(s.keys, key)
		}
	}
	if len(s.keys) < 1 || len(s.keys) > 3 {
		return Secret{}, ErrBadSecret
	}
	return s, nil
}

// Text is what ParseSecret reads, with a line that says what it is.
func (s Secret) Text() string {
	var b strings.Builder
	b.WriteString("# Duyet's secret: newest key first, the installation's first key last. Keep it to yourself.\n")
	for _, key := range s.keys {
		b.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	}
	return b.String()
}

// Rotated is the secret with a new current key: the one it had still opens, and the
// installation's first key stays.
func (s Secret) Rotated() Secret {
	keys := [][]byte{newKey(), s.keys[0]}
	if first := s.keys[len(s.keys)-1]; !bytes.Equal(first, s.keys[0]) {
		keys = append(keys, first)
	}
	return Secret{keys}
}

// Keys are 32-byte keys for a purpose ("tickets", …): the one that seals, and the one
// that sealed before the last rotation, if any.
func (s Secret) Keys(purpose string) [][]byte {
	var keys [][]byte
	for _, key := range s.keys[:min(2, len(s.keys))] {
		keys = append(keys, derive(key, purpose))
	}
	return keys
}

// Lasting is a 32-byte key for a purpose that outlives every rotation: "journal", and
// whatever else is never to be sealed anew, such as "receipts".
func (s Secret) Lasting(purpose string) []byte {
	return derive(s.keys[len(s.keys)-1], "lasting "+purpose)
}

// Fingerprint tells secrets of different installations apart and says nothing about the
// keys. A rotation leaves it as it is.
func (s Secret) Fingerprint() string { return hex.EncodeToString(s.Lasting("fingerprint")[:16]) }

// derive is HKDF-SHA256 (RFC 5869). It fails only for lengths nobody asks for.
func derive(master []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, "duyet "+purpose, keySize)
	if err != nil {
		panic(err)
	}
	return key
}

// LoadSecret reads the secret of a data folder, or makes it when the folder has none. Its
// file is readable by its owner alone; wider permissions are narrowed.
func LoadSecret(dir string) (Secret, error) {
	path := filepath.Join(dir, SecretFile)
	s, err := readSecret(path)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if err := writeNew(path, []byte(NewSecret().Text())); err != nil && !errors.Is(err, os.ErrExist) {
		return Secret{}, fmt.Errorf("make %s: %w", path, err)
	}
	return readSecret(path) // somebody may have been quicker
}

func readSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return Secret{}, fmt.Errorf("%s can be read by others and that can't be changed; set its mode to 0600: %w", path, err)
		}
	}
	text := make([]byte, 1<<10)
	n, err := f.Read(text)
	if err != nil && n > 0 {
		return Secret{}, err
	}
	s, err := ParseSecret(string(text[:n]))
	if err != nil {
		return Secret{}, fmt.Errorf("%s %w", path, err)
	}
	return s, nil
}

// RotateSecret puts a new current key into the secret of a data folder. A server that runs
// must be told; tickets sealed before go on being opened until the next rotation.
func RotateSecret(dir string) (Secret, error) {
	path := filepath.Join(dir, SecretFile)
	s, err := readSecret(path)
	if err != nil {
		return Secret{}, err
	}
	s = s.Rotated()
	return s, replaceFile(path, []byte(s.Text()))
}

// writeNew writes a file that must not be there yet, whole or not at all: os.ErrExist when
// it is.
func writeNew(path string, data []byte) error {
	temporary, err := writeTemporary(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	if err := os.Link(temporary, path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return err
		}
		// A file system without links; the data folder's lock keeps others away.
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return os.ErrExist
		}
		if err := os.Rename(temporary, path); err != nil {
			return err
		}
	}
	return boltstore.SyncDir(filepath.Dir(path))
}

// replaceFile writes a file over the one that stands, whole or not at all.
func replaceFile(path string, data []byte) error {
	temporary, err := writeTemporary(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return boltstore.SyncDir(filepath.Dir(path))
}

// writeTemporary writes and syncs a file beside path, readable by its owner alone.
func writeTemporary(path string, data []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
