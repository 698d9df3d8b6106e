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

// Kinds of events about publications at an appointed time, whose Subject is "scheduled/" and
// the comment's comments.Cursor.
const (
	KindScheduleSet       comments.Kind = "schedule.set"
	KindScheduleCleared   comments.Kind = "schedule.cleared"   // by somebody
	KindSchedulePublished comments.Kind = "schedule.published" // the approval stands beside it
	KindScheduleDropped   comments.Kind = "schedule.dropped"   // the comment has changed meanwhile, or who set it may no longer decide
)

const kindScheduled = "scheduled"

// ScheduleMost is how far ahead a publication may be set.
const ScheduleMost = 366 * 24 * time.Hour

// CodeNotFuture is the field error of a time that has passed, or is further off than
// ScheduleMost.
const CodeNotFuture = "not_future"

// scheduleEvery is how often appointments are looked at if nothing else tells of them.
const scheduleEvery = time.Minute

// Schedule is an approval at an appointed time. Until then the comment waits in its queue like
// any other, where somebody may decide otherwise.
type Schedule struct {
	Comment comments.ID `json:"-"`
	At      time.Time   `json:"at"`
	By      string      `json:"by"`      // a moderator's id
	Version uint64      `json:"version"` // of the comment: another one is not published
	doc     uint64
}

// Schedule has a pending comment approved at a time, if it is still at version now and then.
// It takes the place of an earlier appointment. Errors: comments.ErrForbidden, ErrNotFound, an
// InvalidError on "at", a *ConflictError.
func (s *Service) Schedule(ctx context.Context, who Moderator, rawID string, version uint64, at time.Time) (Schedule, error) {
	if _, err := s.siteOf(ctx, who, Decide, rawID); err != nil {
		return Schedule{}, err
	}
	now := s.cfg.Now()
	if !at.After(now) || at.After(now.Add(ScheduleMost)) {
		return Schedule{}, comments.Invalid("at", CodeNotFuture)
	}
	v, err := s.Comment(ctx, who, rawID)
	if err != nil {
		return Schedule{}, err
	}
	if v.Status != comments.Pending || v.Comment.Version != version || v.Marks.Has(comments.Withdrawn) {
		return Schedule{}, lost(v.Comment, v.History[len(v.History)-1])
	}
	for {
		old, err := s.scheduled(ctx, v.ID)
		if err != nil && !errors.Is(err, comments.ErrNotFound) {
			return Schedule{}, err
		}
		one := Schedule{Comment: v.ID, At: at.UTC(), By: who.ID, Version: version, doc: old.doc}
		data, err := json.Marshal(one)
		if err != nil {
			return Schedule{}, err
		}
		_, err = s.cfg.Store.PutDocument(ctx, Document{
			Site: v.Site, Kind: kindScheduled, ID: comments.Cursor(v.ID), Version: one.doc, Data: data, By: who.ID,
		}, KindScheduleSet)
		if err == nil || !errors.Is(err, comments.ErrVersion) && !errors.Is(err, comments.ErrExists) || ctx.Err() != nil {
			return one, err
		}
	}
}

// Unschedule takes an appointment back; without one it is comments.ErrNotFound.
func (s *Service) Unschedule(ctx context.Context, who Moderator, rawID string) error {
	if _, err := s.siteOf(ctx, who, Decide, rawID); err != nil {
		return err
	}
	id, err := comments.ParseID(rawID)
	if err != nil {
		return err
	}
	one, err := s.scheduled(ctx, id)
	if err != nil {
		return err
	}
	return s.unschedule(ctx, one, who.ID, KindScheduleCleared)
}

// Scheduled are a site's appointments, by comment.
func (s *Service) Scheduled(ctx context.Context, who Moderator, site string) (map[comments.ID]Schedule, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return nil, err
	}
	list, err := s.schedules(ctx, site)
	byID := make(map[comments.ID]Schedule, len(list))
	for _, one := range list {
		byID[one.Comment] = one
	}
	return byID, err
}

func (s *Service) schedules(ctx context.Context, site string) (list []Schedule, err error) {
	docs, err := s.cfg.Store.Documents(ctx, site, kindScheduled)
	for _, d := range docs {
		one, err := readSchedule(d)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, err
}

func (s *Service) scheduled(ctx context.Context, id comments.ID) (Schedule, error) {
	d, err := s.cfg.Store.Document(ctx, id.Site(), kindScheduled, comments.Cursor(id))
	if err != nil {
		return Schedule{}, err
	}
	return readSchedule(d)
}

func readSchedule(d Document) (one Schedule, err error) {
	if err = json.Unmarshal(d.Data, &one); err == nil {
		one.Comment, err = comments.ParseCursor(d.Site, d.ID)
	}
	if err != nil {
		return one, fmt.Errorf("%s: %w: %w", d.Subject(), comments.ErrDamaged, err)
	}
	one.doc = d.Version
	return one, nil
}

func (s *Service) unschedule(ctx context.Context, one Schedule, actor string, kind comments.Kind) error {
	return s.cfg.Store.RemoveDocument(ctx, Document{
		Site: one.Comment.Site(), Kind: kindScheduled, ID: comments.Cursor(one.Comment), Version: one.doc, By: actor,
	}, kind)
}

func (s *Service) observeSchedule(c comments.Commit) {
	if strings.HasPrefix(c.Event.Subject, kindScheduled+"/") && c.Comment.ID == "" {
		select {
		case s.scheduleWake <- struct{}{}:
		default:
		}
	}
}

// RunSchedule publishes what is due on all sites until ctx is done, on one node at a time.
// failed is told of what went wrong; it is tried again.
func (s *Service) RunSchedule(ctx context.Context, failed func(error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.scheduleWake:
		case <-timer.C:
		}
		next, err := s.publishDue(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
			next = bulkRetry
		}
		timer.Reset(next)
	}
}

// publishDue approves what is due, and says how long to wait for the next.
func (s *Service) publishDue(ctx context.Context) (next time.Duration, err error) {
	next = scheduleEvery
	sites, err := s.cfg.Sites.Sites(ctx)
	if err != nil {
		return next, err
	}
	for _, site := range sites {
		list, wrong := s.schedules(ctx, site.ID)
		err = errors.Join(err, wrong)
		for _, one := range list {
			if wait := one.At.Sub(s.cfg.Now()); wait > 0 {
				next = min(next, wait)
				continue
			}
			if wrong := s.publish(ctx, one); wrong != nil {
				err = errors.Join(err, fmt.Errorf("publication of %s: %w", one.Comment, wrong))
			}
		}
	}
	return next, err
}

// publish approves one in the name of who has set the time. The approval comes first: what is
// approved twice, because the appointment could not be removed, is approved once.
func (s *Service) publish(ctx context.Context, one Schedule) error {
	kind := KindScheduleDropped
	who, err := s.cfg.Store.Moderator(ctx, one.By)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return err
	}
	if err == nil && who.May(Decide, one.Comment.Site()) {
		done, err := s.decide(ctx, who, []Decision{{ID: string(one.Comment), Action: Approve, Version: &one.Version}}, 0)
		if err != nil {
			return err
		}
		if done[0].Err == nil {
			kind = KindSchedulePublished
		}
	}
	err = s.unschedule(ctx, one, comments.ActorSystem, kind)
	if errors.Is(err, comments.ErrVersion) || errors.Is(err, comments.ErrNotFound) {
		return nil // set anew or cleared at this very moment
	}
	return err
}
