package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"duyet/comments/boltstore"
)

// IsLocked reports whether an error says that another process has the store open. The
// error itself names it.
func IsLocked(err error) bool {
	var locked *boltstore.LockedError
	return errors.As(err, &locked)
}

// ReadSecret is the secret that the store of a data folder is opened with, without opening
// it: text (DUYET_SECRET's) if there is any, else the folder's. None is made.
func ReadSecret(dir, text string) (Secret, error) {
	if text != "" {
		s, err := ParseSecret(text)
		if err != nil {
			return Secret{}, fmt.Errorf("DUYET_SECRET %w", err)
		}
		return s, nil
	}
	s, err := readSecret(filepath.Join(dir, SecretFile))
	if errors.Is(err, os.ErrNotExist) {
		return Secret{}, fmt.Errorf("there is no %s: name the installation's folder with --data", filepath.Join(dir, SecretFile))
	}
	return s, err
}

// RotateSecret puts a new current key into the secret of the data folder while the store
// is open; Secret and backups have it from then on.
func (s *Storage) RotateSecret() error {
	rotated, err := RotateSecret(s.dir)
	if err == nil {
		s.secret.Store(&rotated)
	}
	return err
}
