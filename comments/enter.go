package comments

import (
	"context"
	"errors"
	"time"
)

// entrance is a submission at the door: what its network may still do, whether its page is
// under attack, and the proof of work that came with it.
type entrance struct {
	s      *Service
	site   Site
	page   Page // canonical key, or none when what was sent is no key
	sub    Submission
	now    time.Time
	attack bool
	over   bool // over the limit, and let in by its work

	giveBack func() // the use of its network
	looked   bool   // at the work
	unspend  func()
	workErr  error
}

// enter begins a submission.
func (s *Service) enter(site Site, sub Submission, now time.Time) *entrance {
	nothing := func() {}
	e := &entrance{s: s, site: site, sub: sub, now: now, giveBack: nothing, unspend: nothing}
	e.page.Site = site.ID
	if key, _, err := PageKey(site, sub.Page); err == nil {
		e.page.Key = key
	}
	s.cfg.Alarm.Arrived(site, e.page)
	e.attack = s.cfg.Alarm.Raised(site, PageHash(site.ID, e.page.Key))
	return e
}

// admit counts the submission against its network. One over the limit is let in by a proof
// of work, up to five times the limit, and will be held: a whole office or a telephone
// network may stand behind one address. Errors: *LimitedError.
func (e *entrance) admit(ctx context.Context) error {
	if !e.site.Settings.RateLimit {
		return nil
	}
	use := Use{Site: e.site.ID, Addr: e.sub.Addr, Halved: e.attack}
	giveBack, err := e.s.cfg.Limiter.Take(MeterComment, use)
	var limited *LimitedError
	if errors.As(err, &limited) && !limited.Failures && e.known(ctx) == WorkDone {
		use.Proven, e.over = true, true
		giveBack, err = e.s.cfg.Limiter.Take(MeterComment, use)
	}
	if err == nil {
		e.giveBack = giveBack
	}
	return err
}

// known looks at the work, once, and says what there is to know of it.
func (e *entrance) known(ctx context.Context) Work {
	if !e.looked {
		e.looked, e.workErr = true, ErrWork
		if e.sub.Work != "" {
			e.unspend, e.workErr = e.s.cfg.Works.Spend(ctx, e.sub.Work, e.site.ID, e.page.Key, e.now)
		}
	}
	switch {
	case e.workErr == nil:
		return WorkDone
	case errors.Is(e.workErr, ErrWork):
		return WorkNone
	}
	return WorkUnknown
}

// worksForCode reports whether good work stands for the code that was not typed.
func (e *entrance) worksForCode(ctx context.Context) bool {
	return e.site.Settings.Proof == ProofWork && !e.attack && e.known(ctx) == WorkDone
}

// leave ends a submission. What let nothing in costs no use of its network and no work;
// what failed counts among the failed tries.
func (e *entrance) leave(err error) {
	if err == nil {
		return
	}
	e.giveBack()
	e.unspend()
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		return
	}
	wrong := invalid.Has(CodeCaptchaWrong)
	if wrong {
		e.s.cfg.Alarm.Wrong(e.site, e.page)
	}
	if !e.site.Settings.RateLimit {
		return
	}
	use := Use{Site: e.site.ID, Addr: e.sub.Addr}
	e.s.cfg.Limiter.Failed(MeterFailed, use)
	if wrong {
		e.s.cfg.Limiter.Failed(MeterWrong, use)
	}
}
