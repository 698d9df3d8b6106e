package main

import (
	"context"
	"os"
	"time"

	"duyet/cmd/internal/storage"
)

// sweepEvery is how often what has expired is forgotten.
const sweepEvery = time.Minute

// sweep forgets what has expired, again and again until ctx ends. What fails is logged and
// tried again the next time.
func (s *service) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.sweepOnce(ctx)
		}
	}
}

// sweepOnce forgets all there is: the stores forget a part a call, so that nobody waits.
func (s *service) sweepOnce(ctx context.Context) {
	parts := map[string]func(context.Context, time.Time) (int, error){
		"tickets and addresses": s.in.store.Comments().Sweep,
		"sessions and links":    s.in.store.Moderation().SweepSignIn,
	}
	for what, part := range parts {
		total := 0
		for ctx.Err() == nil {
			removed, err := part(ctx, s.in.now())
			total += removed
			if err != nil && ctx.Err() == nil {
				s.log.Error("sweeping failed", "what", what, "err", err)
			}
			if err != nil || removed == 0 {
				break
			}
		}
		if total > 0 {
			s.log.Info("swept", "what", what, "records", total)
		}
	}
}

// backUp makes a verified backup every so often until ctx ends, and keeps the last few.
func (s *service) backUp(ctx context.Context) error {
	if s.cfg.Backups.Every == 0 || s.in.store.Shared() {
		return nil // on PostgreSQL backups are pg_dump's
	}
	dir := s.cfg.Backups.Folder(s.in.data)
	timer := time.NewTimer(s.untilBackup(dir))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		began := s.in.now()
		file, err := s.in.store.RotateBackups(ctx, dir, s.cfg.Backups.Keep)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.log.Error("the automatic backup failed", "dir", dir, "err", err)
			timer.Reset(min(s.cfg.Backups.Every, backupRetry))
		default:
			s.metrics.BackedUp(s.in.now())
			s.log.Info("backed up", "file", file, "took", s.in.now().Sub(began))
			timer.Reset(s.cfg.Backups.Every)
		}
	}
}

// A backup that failed is tried again sooner, and one that is due at the start lets the
// start pass first.
const (
	backupRetry = 15 * time.Minute
	backupAfter = time.Minute
)

// untilBackup is how long to wait for the first backup: as long as is left since the last
// one that an earlier run made.
func (s *service) untilBackup(dir string) time.Duration {
	soon := min(s.cfg.Backups.Every, backupAfter)
	files, err := storage.Backups(dir)
	if err != nil || len(files) == 0 {
		return soon
	}
	last, err := os.Stat(files[len(files)-1])
	if err != nil {
		return soon
	}
	return max(soon, s.cfg.Backups.Every-s.in.now().Sub(last.ModTime()))
}

// fillCodes has comments be found by their receipt codes that an earlier release or a move
// has brought. What it can't do now it does at the next start.
func (s *service) fillCodes(ctx context.Context) error {
	if err := s.in.store.Comments().FillCodes(ctx, s.in.receipts.CodeKey); err != nil && ctx.Err() == nil {
		s.log.Error("comments can't all be found by their receipt codes", "err", err)
	}
	return nil
}
