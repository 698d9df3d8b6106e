package storage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"duyet/comments/boltstore"
)

// ErrDatabaseThere is a data folder that restoring would overwrite.
var ErrDatabaseThere = errors.New("there is a database already; move it away first, or restore into another folder with --data")

// backup is one that was read through and found whole.
type backup struct {
	manifest *Manifest
	secret   Secret
	database *io.SectionReader
}

// readBackup reads a backup through. Whatever is wrong is ErrBadBackup.
func readBackup(ctx context.Context, f *os.File) (*backup, error) {
	b, err := parseBackup(ctx, f)
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return b, err
	}
	return nil, fmt.Errorf("%w: %w", ErrBadBackup, err)
}

func parseBackup(ctx context.Context, f *os.File) (*backup, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b := &backup{manifest: &Manifest{}}
	var sums bytes.Buffer
	r := tar.NewReader(f)
	for _, name := range []string{manifestFile, SecretFile, DatabaseFile, sumsFile} {
		h, err := r.Next()
		if err != nil {
			return nil, err
		}
		if h.Name != name || h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%q stands where %s should", h.Name, name)
		}
		if err := b.entry(ctx, f, r, h, &sums); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it does not end where it should: %v", err)
	}
	if b.manifest.Format != backupFormat || b.manifest.Version != 1 || b.manifest.Store != "bbolt" {
		return nil, fmt.Errorf("%s: of format %q, version %d, store %q", manifestFile, b.manifest.Format, b.manifest.Version, b.manifest.Store)
	}
	return b, b.verify()
}

// entry reads one entry, noting its sum, and holds them all against the last.
func (b *backup) entry(ctx context.Context, f *os.File, r *tar.Reader, h *tar.Header, sums *bytes.Buffer) error {
	if h.Name == DatabaseFile {
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		b.database = io.NewSectionReader(f, at, h.Size)
		sum := sha256.New()
		if _, err := io.Copy(sum, contextReader{ctx, r}); err != nil {
			return err
		}
		fmt.Fprintf(sums, "%x  %s\n", sum.Sum(nil), h.Name)
		return nil
	}
	const most = 64 << 20 // a manifest with a million sites
	data, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return err
	}
	if h.Name == sumsFile {
		if !bytes.Equal(data, sums.Bytes()) {
			return errors.New("the sums do not fit")
		}
		return nil
	}
	fmt.Fprintf(sums, "%x  %s\n", sha256.Sum256(data), h.Name)
	if h.Name == manifestFile {
		return json.Unmarshal(data, b.manifest)
	}
	b.secret, err = ParseSecret(string(data))
	return err
}

// verify looks at every page and record of the database and follows every chain.
func (b *backup) verify() error {
	survey, err := boltstore.Examine(b.database, b.database.Size(), b.secret.Lasting("journal"))
	if err != nil {
		return err
	}
	if len(survey.Damaged) > 0 {
		return survey.Damaged[0]
	}
	if survey.Fingerprint != b.secret.Fingerprint() {
		return boltstore.ErrOtherSecret
	}
	if survey.Installation != b.manifest.Installation || !maps.Equal(NewHeads(survey.Heads), b.manifest.Heads) {
		return errors.New("the database is not the one the manifest names")
	}
	return nil
}

// Restore puts a backup into a data folder that has no database: o.Dir, waiting up to
// o.Wait for another process to let go of it. The backup is verified first. The database
// gets its name last, so that a restore that fails or is cut off leaves none. A secret.key
// that is of the same installation stays, since it may have been rotated since; another is
// kept as secret.key.old. Errors: ErrDatabaseThere, ErrBadBackup, *boltstore.LockedError.
func Restore(ctx context.Context, o Options, file string) (_ *Manifest, err error) {
	if o.DSN != "" {
		return nil, ErrPgDump
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(o.Dir, DatabaseFile)
	lock, err := boltstore.AcquireLock(ctx, path, o.Command, o.Wait)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrDatabaseThere)
	}
	b, err := readBackup(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	return b.manifest, b.restore(ctx, o.Dir, path)
}

func (b *backup) restore(ctx context.Context, dir, path string) (err error) {
	fresh := path + ".restore"
	defer os.Remove(fresh) // gone by then, if all went well
	if err := copyOut(ctx, fresh, b.database); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if _, err := boltstore.ExamineFile(fresh, b.secret.Lasting("journal")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := b.restoreSecret(dir); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, SentinelFile), []byte(b.manifest.Installation+"\n")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return boltstore.SyncDir(dir)
}

func (b *backup) restoreSecret(dir string) error {
	path := filepath.Join(dir, SecretFile)
	stands, err := readSecret(path)
	switch {
	case err == nil && stands.Fingerprint() == b.secret.Fingerprint():
		return nil
	case !errors.Is(err, os.ErrNotExist):
		if err := os.Rename(path, path+".old"); err != nil {
			return err
		}
	}
	return replaceFile(path, []byte(b.secret.Text()))
}

func copyOut(ctx context.Context, path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, contextReader{ctx, from})
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// contextReader stops a long copy when nobody waits for it any more.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
