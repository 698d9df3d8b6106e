package main

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/outside"
	"duyet/moderation/screen"
)

// screening is the checks that keep something.
type screening struct {
	lists   *screen.Lists
	repeats *screen.Repeats
	learner *screen.Learner
	bans    *screen.Bans
	rules   *screen.Rules
	outside *outside.Outside
}

// screener starts the checks, and is the list of all.
func (in *installation) screener() (comments.Screener, error) {
	store := in.store.Comments()
	desk := screen.Desk{
		Documents: in.store.Moderation(), Queues: in.store.Moderation(), Now: in.now,
		Addresses: in.store.Moderation(), Transitions: in.store.Moderation(),
		Allowed: func(ctx context.Context, who moderation.Moderator, p moderation.Permission, site string) error {
			return in.moderation.Allowed(ctx, who, p, site)
		},
	}
	in.lists, in.repeats = screen.NewLists(desk), screen.NewRepeats(desk, store)
	in.learner = screen.NewLearner(screen.LearnerConfig{Desk: desk, Journal: store, Comments: store, Log: in.log})
	for _, observe := range []comments.Observer{in.lists.Observe, in.repeats.Observe, in.learner.Observe} {
		store.Observe(observe)
	}
	in.bans, in.rules = screen.NewBans(desk), screen.NewRules(desk, in, store)
	store.Observe(in.bans.Observe)
	store.Observe(in.rules.Observe)
	var err error
	in.outside, err = outside.New(outside.Config{
		Documents: desk.Documents, Addresses: desk.Addresses, Comments: store, Allowed: desk.Allowed,
		Key: in.store.Secret().Lasting("outside"), Now: in.now, Log: in.log,
	})
	if err != nil {
		return nil, err
	}
	store.Observe(in.outside.Observe)
	checks := []screen.Check{in.lists.Check(), in.repeats.Check(), in.learner.Check(), in.bans.Check()}
	return screen.Ruled{Screener: screen.Default(append(checks, in.outside.Checks()...)...), Rules: in.rules}, nil
}

// follow keeps what the checks know up to date until ctx ends.
func (s *service) follow(ctx context.Context) error {
	sites, err := s.in.comments.Sites(ctx)
	if err != nil {
		s.log.Error("what was said and decided before is not known", "err", err)
	}
	for _, site := range sites {
		err := errors.Join(s.in.repeats.Warm(ctx, site.ID), s.in.learner.Warm(ctx, site.ID))
		if err != nil && ctx.Err() == nil {
			s.log.Error("what was said and decided before is not known", "site", site.ID, "err", err)
		}
	}
	return s.in.learner.Follow(ctx)
}

// lead is what one node does for all.
func (s *service) lead(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.sweep(ctx) })
	g.Go(func() error { return s.in.learner.Keep(ctx) })
	g.Go(func() error {
		return s.in.moderation.RunBulk(ctx, func(err error) { s.log.Error("a bulk decision can't go on now", "err", err) })
	})
	g.Go(func() error {
		return s.in.moderation.CountStats(ctx, func(err error) { s.log.Error("what happens can't be counted now", "err", err) })
	})
	g.Go(func() error {
		return s.in.moderation.RunSchedule(ctx, func(err error) { s.log.Error("what was to be published now can't be", "err", err) })
	})
	g.Go(func() error { return s.in.outside.Run(ctx) })
	g.Go(func() error { return s.in.moderation.Search().Run(ctx, s.in.store.Comments().Sites, s.log) })
	return g.Wait()
}

// Site finds a site; it implements screen.SiteReader before there is a comments.Service.
func (in *installation) Site(ctx context.Context, id string) (comments.Site, error) {
	return in.comments.Site(ctx, id)
}
