package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"duyet/comments"
)

const (
	// bulkRetry is how long a job that failed rests.
	bulkRetry = 5 * time.Second
	// bulkSkew is by how much the clocks of nodes may differ: what was written later than
	// that after a job began can't have been there.
	bulkSkew = time.Minute
)

// observeBulk hears that a bulk decision has been asked for.
func (s *Service) observeBulk(c comments.Commit) {
	if strings.HasPrefix(c.Event.Subject, kindBulk+"/") && c.Comment.ID == "" {
		s.wakeBulk()
	}
}

func (s *Service) wakeBulk() {
	select {
	case s.bulkWake <- struct{}{}:
	default:
	}
}

// RunBulk carries out the bulk decisions of all sites until ctx is done, on one node at a
// time: those that an earlier run has left, and those that Observe tells of. The jobs
// that are under way take turns. failed is told of what went wrong; the job is tried again.
func (s *Service) RunBulk(ctx context.Context, failed func(error)) error {
	s.wakeBulk()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.bulkWake:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = s.bulkRound(ctx); err != nil && ctx.Err() == nil {
				failed(err)
				select {
				case <-ctx.Done():
				case <-time.After(bulkRetry):
				}
				more = true
			}
		}
	}
}

// bulkRound takes every open job one chunk further, and says whether any is left. What is
// wrong with one holds up no other.
func (s *Service) bulkRound(ctx context.Context) (more bool, err error) {
	sites, err := s.cfg.Sites.Sites(ctx)
	if err != nil {
		return false, err
	}
	for _, site := range sites {
		open, wrong := s.openBulks(ctx, site.ID)
		err = errors.Join(err, wrong)
		for _, b := range open {
			done, wrong := s.bulkStep(ctx, site, b)
			if errors.Is(wrong, comments.ErrVersion) {
				wrong = nil // cancelled meanwhile: the next round sees it as it is
			}
			if wrong != nil {
				err = errors.Join(err, fmt.Errorf("bulk decision %s: %w", b.ID, wrong))
			}
			more = more || !done
		}
	}
	return more, err
}

// bulkStep takes one job one chunk further.
func (s *Service) bulkStep(ctx context.Context, site comments.Site, b Bulk) (done bool, err error) {
	by := b.By
	if b.State == BulkUndoing {
		by = b.UndoneBy
	}
	who, err := s.cfg.Store.Moderator(ctx, by)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return false, err
	}
	if err != nil || !who.May(Decide, b.Site) { // looked at before each chunk: people lose their roles
		return true, s.endBulk(ctx, &b, BulkStopped, KindBulkEnded)
	}
	if b.State == BulkUndoing {
		return s.undoChunk(ctx, who, b)
	}
	if b.Settled == b.Chunks {
		if done, err := s.cutChunk(ctx, who, site, &b); done || err != nil {
			return done, err
		}
	}
	if b.Settled == b.Chunks {
		return false, nil // nothing in that stretch
	}
	return false, s.decideChunk(ctx, who, &b)
}

func (s *Service) endBulk(ctx context.Context, b *Bulk, state BulkState, kind comments.Kind) error {
	b.State, b.EndedAt = state, s.cfg.Now().UTC()
	b.Filter.Words = withoutNetworks(b.Filter.Words)
	return s.putBulk(ctx, b, comments.ActorSystem, kind)
}

// cutChunk finds the next comments and writes down which, before anything is decided: a run
// that is killed between has left its intent, and what came of it can be looked up.
func (s *Service) cutChunk(ctx context.Context, who Moderator, site comments.Site, b *Bulk) (done bool, err error) {
	q, err := bulkQuery(b.Queue, b.Filter, site.Settings.Location())
	if err != nil {
		return false, err
	}
	q.Site, q.After = b.Site, b.After
	f, err := q.filter()
	if err != nil {
		return false, err
	}
	f.Site = b.Site
	if f.After, f.AfterRisk, err = parseCursor(q, b.Site); err != nil {
		return false, err
	}
	head, err := s.cfg.Journal.Head(ctx, b.Site)
	if err != nil {
		return false, err
	}
	part, err := s.part(ctx, f, q.Asked, head, false)
	if err != nil {
		return false, err
	}
	if len(part.Comments) == 0 && !part.More {
		return true, s.endBulk(ctx, b, BulkDone, KindBulkEnded)
	}
	var picks []bulkPick
	for _, c := range part.Comments {
		if !c.CreatedAt.After(b.At.Add(bulkSkew)) {
			picks = append(picks, bulkPick{c.ID, c.Version})
		}
	}
	if len(part.Comments) > 0 && len(picks) == 0 {
		return true, s.endBulk(ctx, b, BulkDone, KindBulkEnded) // all further ones came later
	}
	b.After = comments.Cursor(part.Last.ID)
	if !part.More {
		b.After = comments.Cursor(part.Comments[len(part.Comments)-1].ID)
	}
	if len(picks) > 0 {
		if err := s.putChunk(ctx, *b, b.Chunks, bulkPart{Picks: picks}); err != nil {
			return false, err
		}
		b.Chunks++
	}
	return false, s.putBulk(ctx, b, b.By, "")
}

// decideChunk decides on the chunk that has been cut last, and keeps of it what this job has
// changed. Deciding again what was decided already changes nothing.
func (s *Service) decideChunk(ctx context.Context, who Moderator, b *Bulk) error {
	n := b.Chunks - 1
	part, err := s.chunk(ctx, *b, n)
	if err != nil {
		return err
	}
	if !part.Done {
		decisions := make([]Decision, len(part.Picks))
		for i, p := range part.Picks {
			decisions[i] = Decision{ID: string(p.ID), Action: b.Action, Version: &p.Version, Reason: b.Reason, Note: b.Note}
		}
		results, err := s.decide(ctx, who, decisions, b.Frozen)
		if err != nil {
			return err
		}
		settled := bulkPart{Done: true}
		for i, r := range results {
			if r.Err == nil && r.Version > part.Picks[i].Version {
				settled.Picks = append(settled.Picks, bulkPick{part.Picks[i].ID, r.Version})
			} else {
				settled.Passed++
			}
		}
		if err := s.putChunk(ctx, *b, n, settled); err != nil {
			return err
		}
		part = settled
	}
	// The job's own record last: until it says that the chunk is settled, all of this is
	// done once more, to the same end.
	for {
		b.Decided += int64(len(part.Picks))
		b.Passed += part.Passed
		b.Settled = b.Chunks
		err := s.putBulk(ctx, b, b.By, "")
		if !errors.Is(err, comments.ErrVersion) {
			return err
		}
		if *b, err = s.bulk(ctx, b.Site, b.ID); err != nil { // cancelled while it was decided
			return err
		}
	}
}

// settled are a chunk's comments as this job has left them. Of one that was cut and not
// known to be decided, because the job ended there, the history tells.
func (s *Service) settled(ctx context.Context, b Bulk, n int) ([]bulkPick, error) {
	part, err := s.chunk(ctx, b, n)
	if err != nil || part.Done {
		return part.Picks, err
	}
	var picks []bulkPick
	for _, p := range part.Picks {
		history, err := s.cfg.Journal.History(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, t := range history {
			if t.Version == p.Version+1 && t.Actor == b.By && t.Seq > b.Frozen {
				picks = append(picks, bulkPick{p.ID, t.Version})
			}
		}
	}
	return picks, nil
}

// undoChunk takes back what one chunk decided.
func (s *Service) undoChunk(ctx context.Context, who Moderator, b Bulk) (done bool, err error) {
	if b.Undid >= b.Chunks {
		return true, s.endBulk(ctx, &b, BulkUndone, KindBulkUndone)
	}
	picks, err := s.settled(ctx, b, b.Undid)
	if err != nil {
		return false, err
	}
	decisions := make([]Decision, len(picks))
	for i, p := range picks {
		decisions[i] = Decision{ID: string(p.ID), Action: Undo, Version: &picks[i].Version}
	}
	results, err := s.decide(ctx, who, decisions, 0)
	if err != nil {
		return false, err
	}
	for _, r := range results {
		if r.Err == nil {
			b.Restored++
			continue
		}
		if b.Kept++; len(b.Left) < BulkLeft {
			b.Left = append(b.Left, comments.ID(r.ID))
		}
	}
	b.Undid++
	return false, s.putBulk(ctx, &b, b.UndoneBy, "")
}

func chunkID(b Bulk, n int) string { return fmt.Sprintf("%s.%06d", b.ID, n) }

// bulkPart is a chunk: at first the comments to decide on at the versions seen, then, Done,
// those decided at the versions that came of it.
type bulkPart struct {
	Picks  []bulkPick `json:"picks"`
	Done   bool       `json:"done,omitempty"`
	Passed int64      `json:"passed,omitempty"`
}

func (s *Service) chunk(ctx context.Context, b Bulk, n int) (part bulkPart, err error) {
	d, err := s.cfg.Store.Document(ctx, b.Site, kindBulkChunk, chunkID(b, n))
	if err != nil {
		return part, err
	}
	if err = json.Unmarshal(d.Data, &part); err != nil {
		return part, fmt.Errorf("%s: %w: %w", d.Subject(), comments.ErrDamaged, err)
	}
	return part, nil
}

// putChunk writes a chunk over the one that an earlier try may have left.
func (s *Service) putChunk(ctx context.Context, b Bulk, n int, part bulkPart) error {
	data, err := json.Marshal(part)
	if err != nil {
		return err
	}
	d := Document{Site: b.Site, Kind: kindBulkChunk, ID: chunkID(b, n), Data: data, By: b.By}
	before, err := s.cfg.Store.Document(ctx, d.Site, d.Kind, d.ID)
	switch {
	case err == nil:
		d.Version = before.Version
	case !errors.Is(err, comments.ErrNotFound):
		return err
	}
	_, err = s.cfg.Store.PutDocument(ctx, d, "")
	return err
}
