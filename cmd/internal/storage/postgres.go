package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"duyet/comments"
	"duyet/comments/limit"
	"duyet/comments/pgstore"
	"duyet/comments/work"
	"duyet/moderation"
	"duyet/moderation/alarm"
	moderationpg "duyet/moderation/pgstore"
)

// ErrPgDump is what PostgreSQL's own tools do better.
var ErrPgDump = errors.New("the comments are in PostgreSQL, whose own tools do this: pg_dump and pg_restore for backups (keep secret.key with them), VACUUM for room")

// server is a PostgreSQL database with both wings, which other nodes may have open too.
type server struct {
	db         *pgstore.DB
	moderation *moderationpg.Store
}

// openServer opens the database that o.DSN names. Errors: comments.ErrUnavailable,
// pgstore.ErrOtherSecret, pgstore.ErrNewer. made says that the secret is new, and so good
// for a new database alone: with one that stands it does not stay.
func (s *Storage) openServer(ctx context.Context, o Options, made bool) error {
	db, err := pgstore.Open(ctx, o.DSN, pgstore.Options{
		Key: s.Secret().Lasting("journal"), Fingerprint: s.Secret().Fingerprint(), Installation: rand.Text(),
		ReadDSN: o.ReadDSN,
		Now:     o.Now, OnCommit: o.OnCommit, Logger: o.Logger,
	})
	if err != nil {
		if made && errors.Is(err, pgstore.ErrOtherSecret) {
			err = errors.Join(err, os.Remove(filepath.Join(o.Dir, SecretFile)))
		}
		return fmt.Errorf("--store: %w", err)
	}
	desk, err := moderationpg.New(ctx, db)
	if err != nil {
		return errors.Join(fmt.Errorf("--store: %w", err), db.Close())
	}
	s.server = &server{db, desk}
	return nil
}

// Shared reports whether other nodes may have the store open too.
func (s *Storage) Shared() bool { return s.server != nil }

// Behind is how long ago this node last knew of everything that the others have done; nil
// where there are no others.
func (s *Storage) Behind() func() time.Duration {
	if s.server == nil {
		return nil
	}
	return s.server.db.Behind
}

// StandbyReads are what became of the reads that a standby may answer: by it; by the
// primary, since the standby lagged; by the primary, since it gave no answer.
func (s *Storage) StandbyReads() (standby, lagged, failed int64) {
	if s.server == nil {
		return 0, 0, 0
	}
	stats := s.server.db.Replica()
	return stats.Reads, stats.Lags, stats.Failures
}

// Lead runs work that is to be done by one node at a time: at once and for as long as ctx
// lasts where there is one node, and otherwise while this one leads, again and again until
// ctx is done.
func (s *Storage) Lead(ctx context.Context, work func(ctx context.Context) error) error {
	if s.server == nil {
		return work(ctx)
	}
	s.server.db.Leader(ctx, work)
	return nil
}

// Judge is what remembers the tickets that a wrong answer killed: the one given, unless
// nodes have to agree.
func (s *Storage) Judge(alone comments.Judge) comments.Judge {
	if s.server == nil {
		return alone
	}
	return s.server.db.DeadTickets()
}

// Limiter is what counts for all nodes: the one given where there is one, which also
// counts while the others can't be asked.
func (s *Storage) Limiter(alone *limit.Limiter) comments.Limiter {
	if s.server == nil {
		return alone
	}
	return s.server.db.Limiter(limit.DefaultRules(), alone)
}

// Works remembers which proofs of work were brought: in the ledger given, unless nodes have
// to agree.
func (s *Storage) Works(alone work.Ledger) work.Ledger {
	if s.server == nil {
		return alone
	}
	return s.server.db.SpentWork()
}

// Arrivals adds up what comes to all nodes; nil where there is one.
func (s *Storage) Arrivals() alarm.Counter {
	if s.server == nil {
		return nil
	}
	return s.server.db.Arrivals()
}

// Throttle slows sign-in on all nodes: the one given where there is one, which also counts
// while the others can't be asked.
func (s *Storage) Throttle(alone *limit.SignIn) moderation.Throttle {
	if s.server == nil {
		return alone
	}
	return s.server.db.SignIn(alone)
}

// readyWithin is how long a server may take to show that it answers.
const readyWithin = time.Second

func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := s.db.Ping(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %s", comments.ErrUnavailable, readyWithin)
	}
	return err
}

func (s *server) check(ctx context.Context, progress func(done, total int64)) (problems []Problem, err error) {
	err = s.db.Check(ctx, progress, func(p pgstore.Problem) {
		if len(problems) < problemsMost {
			problems = append(problems, Problem(p))
		}
	})
	return problems, err
}
