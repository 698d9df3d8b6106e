package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of rotating backups sort by time.
const (
	rotatingPrefix = "duyet-"
	rotatingTime   = "20060102T150405.000Z"
	rotatingSuffix = ".backup"
)

// RotateBackups writes a verified backup into a folder, named by the time in UTC, and
// then removes the oldest of those it wrote until keep of them are left (at least one).
// Nothing is removed when the new one fails. It returns the new file's path. One folder
// serves one installation.
func (s *Storage) RotateBackups(ctx context.Context, dir string, keep int) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("backup folder: %w", err)
	}
	if err := removeLeftovers(dir); err != nil {
		return "", fmt.Errorf("backup folder: %w", err)
	}
	file := filepath.Join(dir, rotatingPrefix+s.now().UTC().Format(rotatingTime)+rotatingSuffix)
	if _, err := s.Backup(ctx, file); err != nil {
		return "", err
	}
	names, err := Backups(dir)
	if err != nil {
		return file, err
	}
	var errs []error
	for _, name := range names[:max(0, len(names)-max(keep, 1))] {
		errs = append(errs, os.Remove(name))
	}
	return file, errors.Join(errs...)
}

// Backups lists the files that RotateBackups has written into a folder, oldest first.
func Backups(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("backup folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if isRotating(e.Name()) && e.Type().IsRegular() {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(names)
	return names, nil
}

func isRotating(name string) bool {
	at, ok := strings.CutPrefix(name, rotatingPrefix)
	if !ok {
		return false
	}
	if at, ok = strings.CutSuffix(at, rotatingSuffix); !ok {
		return false
	}
	_, err := time.Parse(rotatingTime, at)
	return err == nil
}

// removeLeftovers removes what a process that was killed while writing left behind.
func removeLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+rotatingPrefix) && strings.HasSuffix(e.Name(), partial) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
