package boltstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"go.etcd.io/bbolt"

	"duyet/comments"
)

// Compact writes the file at path anew without the pages that are free, and puts it in
// the place of the old one once it has been examined. It needs as much room again while
// it runs. The caller holds the lock of path. A failure leaves the file as it was.
func Compact(ctx context.Context, path string, key []byte) (before, after int64, err error) {
	old, err := ExamineFile(path, key)
	if err != nil {
		return 0, 0, err
	}
	if len(old.Damaged) > 0 {
		return 0, 0, fmt.Errorf("%s: %w: %w", path, old.Damaged[0], ErrDamaged)
	}
	fresh := path + ".compact"
	defer os.Remove(fresh)
	if err := copyCompact(ctx, fresh, path); err != nil {
		return 0, 0, unavailable(fmt.Errorf("compact %s: %w", path, err))
	}
	made, err := ExamineFile(fresh, key)
	if err != nil {
		return 0, 0, err
	}
	if made.Records != old.Records || made.Installation != old.Installation || !sameHeads(made.Heads, old.Heads) {
		return 0, 0, fmt.Errorf("compact %s: the copy differs: %w", path, comments.ErrUnavailable)
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, 0, unavailable(err)
	}
	return old.Bytes, made.Bytes, SyncDir(filepath.Dir(path))
}

func sameHeads(a, b map[string]comments.Head) bool {
	return maps.EqualFunc(a, b, func(x, y comments.Head) bool { return reflect.DeepEqual(x, y) })
}

func copyCompact(ctx context.Context, fresh, path string) (err error) {
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	src, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := bbolt.Open(fresh, 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, Timeout: time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := ctx.Err(); err != nil {
		return err
	}
	const stride = 4 << 20 // bytes a transaction
	if err := bbolt.Compact(dst, src, stride); err != nil {
		return err
	}
	return dst.Sync()
}
