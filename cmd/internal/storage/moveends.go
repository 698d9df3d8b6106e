package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/pgstore"
	moderationstore "duyet/moderation/boltstore"
	moderationpg "duyet/moderation/pgstore"
)

// end is one end of a move: a store that nobody else has open.
type end struct {
	comments.Movable // of the readers' wing; Nouns are both wings'
	name             string
	secret           Secret
	nouns            []comments.Noun
	installation     func(ctx context.Context) (string, error)
	heads            func(ctx context.Context) (map[string]comments.Head, error)
	check            func(ctx context.Context, progress func(done, total int64)) ([]Problem, error)
	begin            func(ctx context.Context, installation string, note []byte) error
	finish           func(ctx context.Context) error
	close            func() error
}

func (e *end) Nouns() []comments.Noun { return e.nouns }

// IsServer reports whether an end is a database and no folder.
func IsServer(end string) bool {
	return strings.HasPrefix(end, "postgres://") || strings.HasPrefix(end, "postgresql://")
}

// openSource opens what is moved: as it is, and with its own secret.
func openSource(ctx context.Context, o MoveOptions) (*end, error) {
	if !IsServer(o.From) {
		if _, err := os.Stat(filepath.Join(o.From, DatabaseFile)); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(o.From, DatabaseFile), boltstore.ErrMissing)
		}
		secret, err := ReadSecret(o.From, o.Secret)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		return openFolder(ctx, o.From, secret, folderOptions{command: o.Command})
	}
	dir := o.Dir
	if !IsServer(o.To) && !hasSecret(dir) && hasSecret(o.To) {
		dir = o.To
	}
	secret, err := ReadSecret(dir, o.Secret)
	if err != nil {
		return nil, fmt.Errorf("--from: the secret of its nodes is needed: %w", err)
	}
	return openDatabase(ctx, "--from", o.From, secret)
}

// openTarget opens what is moved into, for the source's secret.
func openTarget(ctx context.Context, o MoveOptions, from *end) (*end, error) {
	if IsServer(o.To) {
		return openDatabase(ctx, "--to", o.To, from.secret)
	}
	if err := os.MkdirAll(o.To, 0o700); err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	if err := giveSecret(o.To, from.secret, o.Secret == ""); err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	installation, err := from.installation(ctx)
	if err != nil {
		return nil, err
	}
	return openFolder(ctx, o.To, from.secret, folderOptions{command: o.Command, create: true, installation: installation})
}

func hasSecret(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, SecretFile))
	return err == nil
}

// giveSecret leaves a folder with a secret, unless the environment has it.
func giveSecret(dir string, secret Secret, inFile bool) error {
	if !hasSecret(dir) {
		if !inFile {
			return nil
		}
		return writeNew(filepath.Join(dir, SecretFile), []byte(secret.Text()))
	}
	stands, err := ReadSecret(dir, "")
	if err == nil && stands.Fingerprint() != secret.Fingerprint() {
		err = fmt.Errorf("%s is of another installation; move into an empty folder", filepath.Join(dir, SecretFile))
	}
	return err
}

type folderOptions struct {
	command      string
	create       bool // it is the target
	installation string
}

// openFolder opens the file of a folder, which it locks.
func openFolder(ctx context.Context, dir string, secret Secret, o folderOptions) (*end, error) {
	path := filepath.Join(dir, DatabaseFile)
	lock, err := boltstore.AcquireLock(ctx, path, o.command, 0)
	if err != nil {
		return nil, err
	}
	var db *boltstore.DB
	var desk *moderationstore.Store
	e := &end{name: path, secret: secret}
	e.close = func() error {
		if db == nil {
			return lock.Release()
		}
		return errors.Join(db.Close(), lock.Release())
	}
	open := func() (err error) {
		db, err = boltstore.Open(ctx, boltstore.Options{
			Path: path, Key: secret.Lasting("journal"), Fingerprint: secret.Fingerprint(), Lock: lock,
			Create: o.create, Installation: o.installation, Filling: o.create,
		})
		if err != nil {
			return err
		}
		if desk, err = moderationstore.New(ctx, db); err != nil {
			return err
		}
		e.Movable, e.nouns = db, append(db.Nouns(), desk.Nouns()...)
		return nil
	}
	if err := open(); err != nil {
		return nil, errors.Join(err, e.close())
	}
	e.installation = func(ctx context.Context) (string, error) { return db.Installation(ctx) }
	e.heads = func(ctx context.Context) (map[string]comments.Head, error) { return db.Heads(ctx) }
	e.begin = func(ctx context.Context, _ string, note []byte) error {
		// A file that is filled in part, or that was empty and another's, is made anew.
		if err := errors.Join(db.Close(), remove(path), remove(filepath.Join(dir, SentinelFile))); err != nil {
			return err
		}
		db = nil
		if err := open(); err != nil {
			return err
		}
		return e.PutNote(ctx, note)
	}
	e.check = func(ctx context.Context, progress func(done, total int64)) ([]Problem, error) {
		return (&Storage{db: db, moderation: desk}).Check(ctx, progress)
	}
	e.finish = func(ctx context.Context) error { return e.PutNote(ctx, nil) }
	return e, nil
}

// remove removes a file that may not be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// openDatabase opens a database that nobody else has open.
func openDatabase(ctx context.Context, flag, dsn string, secret Secret) (*end, error) {
	db, err := pgstore.Open(ctx, dsn, pgstore.Options{
		Key: secret.Lasting("journal"), Fingerprint: secret.Fingerprint(), Installation: "empty", Alone: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	desk, err := moderationpg.New(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", flag, err), db.Close())
	}
	e := &end{
		Movable: db, name: "the database of " + flag, secret: secret, nouns: append(db.Nouns(), desk.Nouns()...),
		installation: db.Installation, heads: db.Heads, close: db.Close,
	}
	e.begin = func(ctx context.Context, installation string, note []byte) error {
		var tables []string
		for _, n := range e.nouns {
			tables = append(tables, n.Holds...)
		}
		return db.Begin(ctx, installation, tables, note)
	}
	e.check = (&server{db, desk}).check
	e.finish = func(ctx context.Context) error { return e.PutNote(ctx, nil) }
	return e, nil
}
