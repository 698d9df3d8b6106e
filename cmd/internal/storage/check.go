package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"duyet/comments/boltstore"
)

// Problem is something in the store that does not fit, in plain words: which record, and
// what about it.
type Problem struct {
	Record string
	What   string
}

func (p Problem) String() string { return p.Record + ": " + p.What }

// problemsMost bounds a report: a file that is wholly wrong has a line for every record.
const problemsMost = 10_000

// Check recounts everything that is counted and holds every record, index and journal
// against what it rests on. It runs beside readers and writers. progress, if not nil, is
// told now and then. No problems means that the store is sound; an error means that it
// could not be looked at.
func (s *Storage) Check(ctx context.Context, progress func(done, total int64)) ([]Problem, error) {
	if s.server != nil {
		return s.server.check(ctx, progress)
	}
	var problems []Problem
	report := func(p boltstore.Problem) {
		if len(problems) < problemsMost {
			problems = append(problems, Problem(p))
		}
	}
	if err := s.db.CheckTree(ctx); errors.Is(err, boltstore.ErrDamaged) {
		problems = append(problems, Problem{Record: "file", What: err.Error()})
	} else if err != nil {
		return nil, err
	}
	if err := s.db.Check(ctx, progress, report); err != nil {
		return problems, err
	}
	return problems, s.moderation.Check(ctx, report)
}

// Compacted is the size of a database in bytes before and after.
type Compacted struct{ Before, After int64 }

// Compact writes the database of a data folder anew without its free pages. It refuses
// beside a server: the error is a *boltstore.LockedError that says who runs. It needs as
// much room again while it runs.
func Compact(ctx context.Context, o Options) (Compacted, error) {
	if o.DSN != "" {
		return Compacted{}, ErrPgDump
	}
	path := filepath.Join(o.Dir, DatabaseFile)
	if _, err := os.Stat(path); err != nil {
		return Compacted{}, fmt.Errorf("%s: %w", path, boltstore.ErrMissing)
	}
	lock, err := boltstore.AcquireLock(ctx, path, o.Command, o.Wait)
	if err != nil {
		return Compacted{}, err
	}
	defer lock.Release()
	var s Storage
	if err := s.prepare(o); err != nil {
		return Compacted{}, err
	}
	var c Compacted
	c.Before, c.After, err = boltstore.Compact(ctx, path, s.Secret().Lasting("journal"))
	return c, err
}
