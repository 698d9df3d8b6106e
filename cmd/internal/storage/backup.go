package storage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// A backup is a tar file of, in this order: backup.json, which says what it is and where
// every journal ended; secret.key; duyet.db, a consistent copy; and SHA256SUMS of the
// three, as sha256sum -c reads it. It holds the secret, so it is as confidential.
const (
	manifestFile = "backup.json"
	sumsFile     = "SHA256SUMS"
	backupFormat = "duyet backup"
)

// ErrBadBackup is a file that is no whole backup of ours.
var ErrBadBackup = errors.New("is no whole backup of Duyet; take another one")

// Manifest is what a backup says of itself.
type Manifest struct {
	Format       string          `json:"format"`
	Version      int             `json:"version"`
	MadeAt       time.Time       `json:"made_at"`
	Installation string          `json:"installation"`
	Store        string          `json:"store"`
	Heads        map[string]Head `json:"heads"` // by site; "*" is the installation
}

// Head is where a site's journal ended: hold it against 'duyet audit verify --head'.
type Head struct {
	Seq   uint64 `json:"seq"`
	Chain string `json:"chain"` // hexadecimal, "" at the beginning
}

// NewHeads is how the ends of journals are told outside: in text.
func NewHeads(heads map[string]comments.Head) map[string]Head {
	m := make(map[string]Head, len(heads))
	for site, h := range heads {
		m[site] = Head{Seq: h.Seq, Chain: hex.EncodeToString(h.Chain)}
	}
	return m
}

// Backup writes a backup of this moment to a file, while others read and write. The file
// is readable by its owner alone; it gets its name, and replaces what had it, only once
// it is complete, synced and verified. On PostgreSQL it is ErrPgDump.
func (s *Storage) Backup(ctx context.Context, file string) (_ *Manifest, err error) {
	if s.server != nil {
		return nil, ErrPgDump
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*"+partial)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	w := &backupWriter{tar: tar.NewWriter(f), at: s.now().UTC().Truncate(time.Second)}
	if err := s.write(ctx, w); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b, err := readBackup(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("backup %s: %w", file, err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return b.manifest, errors.Join(f.Close(), boltstore.SyncDir(filepath.Dir(file)))
}

// partial ends the names of backups that are being written.
const partial = ".partial"

func (s *Storage) write(ctx context.Context, w *backupWriter) error {
	id, err := s.db.Installation(ctx)
	if err != nil {
		return err
	}
	var sum hash.Hash
	err = s.db.Copy(ctx, func(tx *boltstore.Tx, size int64) error {
		heads, err := tx.Heads()
		if err != nil {
			return err
		}
		manifest, err := json.MarshalIndent(Manifest{
			Format: backupFormat, Version: 1, MadeAt: w.at, Installation: id, Store: "bbolt", Heads: NewHeads(heads),
		}, "", "  ")
		if err != nil {
			return err
		}
		if err := w.file(manifestFile, append(manifest, '\n')); err != nil {
			return err
		}
		if err := w.file(SecretFile, []byte(s.Secret().Text())); err != nil {
			return err
		}
		sum = sha256.New()
		w.body = io.MultiWriter(w.tar, sum)
		return w.header(DatabaseFile, size)
	}, w)
	if err != nil {
		return err
	}
	w.sum(DatabaseFile, sum.Sum(nil))
	if err := w.file(sumsFile, w.sums.Bytes()); err != nil {
		return err
	}
	return w.tar.Close()
}

// backupWriter writes the entries of a backup and notes their sums.
type backupWriter struct {
	tar  *tar.Writer
	at   time.Time
	body io.Writer // of the database
	sums bytes.Buffer
}

func (w *backupWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

func (w *backupWriter) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.at, Format: tar.FormatPAX,
	})
}

func (w *backupWriter) file(name string, data []byte) error {
	if err := w.header(name, int64(len(data))); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	w.sum(name, sum[:])
	_, err := w.tar.Write(data)
	return err
}

func (w *backupWriter) sum(name string, sum []byte) {
	fmt.Fprintf(&w.sums, "%x  %s\n", sum, name)
}

// VerifyBackup reads a backup through: its sums, every page and record of its database,
// every chain up to the heads it names. The error is ErrBadBackup.
func VerifyBackup(ctx context.Context, file string) (*Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	b, err := readBackup(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	return b.manifest, nil
}
