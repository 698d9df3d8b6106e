package outside

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// Pauses before feedback that failed is sent again: each twice the one before.
const (
	pauseFirst = 5 * time.Second
	pauseMost  = 10 * time.Minute
	// refusedMost is how often what Akismet refuses is sent; toldWithin how long after a
	// decision one gives up telling whatever the trouble.
	refusedMost = 5
	toldWithin  = 24 * time.Hour

	stride    = 200 // events read at once
	saveEvery = 100 // events passed over before that is written down
)

// feedback follows the journals of sites that tell Akismet what moderators decided otherwise.
type feedback struct {
	mu    sync.Mutex
	due   map[string]time.Time // site → not before
	tries map[string]int       // failures in a row, by site
	no    map[string]refusal   // the decision that is refused, by site
	wake  chan struct{}
}

// refusal is how often what was decided at a place of the journal was refused.
type refusal struct {
	seq   uint64
	times int
}

func newFeedback() feedback {
	return feedback{due: map[string]time.Time{}, tries: map[string]int{}, no: map[string]refusal{}, wake: make(chan struct{}, 1)}
}

// told is how far a site's decisions were told.
type told struct {
	Since time.Time `json:"since"` // the choice that it belongs to
	Seq   uint64    `json:"seq"`

	version uint64
	passed  int // events since it was written
}

// hear notes that a site's journal has gone on, or that its choice has changed.
func (o *Outside) hear(c comments.Commit) {
	e := c.Event
	changed := e.Kind == KindChanged && c.Comment.ID == ""
	if !changed && !decision(e) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, waits := o.due[e.Site]; waits && !changed {
		return // it waits its pause out, or is woken already
	}
	o.due[e.Site] = time.Time{}
	delete(o.tries, e.Site)
	o.rouse()
}

func (o *Outside) rouse() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// decision reports whether an event is what a moderator has made of a comment.
func decision(e comments.Event) bool {
	if e.Comment == "" || e.Actor == comments.ActorReader || e.Actor == comments.ActorSystem {
		return false
	}
	return e.Kind == comments.KindDecided || e.Kind == moderation.KindRestored || e.Kind == moderation.KindUndone
}

// Run tells Akismet what moderators decided otherwise, until ctx is done: at least once each,
// in order, and what fails again after growing pauses. One node does it at a time. No decision
// waits for it.
func (o *Outside) Run(ctx context.Context) error {
	for !o.rouseAll(ctx) {
		if !pause(ctx, pauseFirst, o.wake) {
			return nil
		}
	}
	for {
		next := o.tellDue(ctx)
		if !pause(ctx, next, o.wake) {
			return nil
		}
	}
}

// rouseAll has every site looked at; false when they can't be listed now.
func (o *Outside) rouseAll(ctx context.Context) bool {
	sites, err := o.cfg.Comments.Sites(ctx)
	if err != nil {
		if ctx.Err() == nil {
			o.cfg.Log.Error("decisions can't be told elsewhere now", "err", err)
		}
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range sites {
		o.due[s.ID] = time.Time{}
	}
	return true
}

// pause waits, no longer than until it is woken; false = ctx is done.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-t.C:
	}
	return ctx.Err() == nil
}

// tellDue tells for every site that is due, and says when the next one will be.
func (o *Outside) tellDue(ctx context.Context) time.Duration {
	o.mu.Lock()
	var sites []string
	for site, at := range o.due {
		if !time.Now().Before(at) {
			sites = append(sites, site)
			delete(o.due, site)
		}
	}
	o.mu.Unlock()
	for _, site := range sites {
		err := o.tell(ctx, site)
		o.mu.Lock()
		if err == nil || ctx.Err() != nil {
			delete(o.tries, site)
		} else {
			n := min(o.tries[site], 20)
			o.tries[site]++
			o.due[site] = time.Now().Add(min(o.cfg.PauseFirst<<n, pauseMost))
		}
		o.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			o.cfg.Log.Warn("decisions can't be told elsewhere now", "site", site, "err", err)
		}
	}
	next := time.Hour
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, at := range o.due {
		next = min(next, max(time.Until(at), 0))
	}
	return next
}

// tell tells what a site's moderators have decided since it was last told.
func (o *Outside) tell(ctx context.Context, site string) error {
	c, err := o.kept.Of(ctx, site)
	if err != nil {
		return err
	}
	a := c.akismet
	if !a.On || !a.Feedback || a.key == "" {
		return nil
	}
	p, err := o.toldOf(ctx, site, a)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		events, err := o.cfg.Comments.Events(ctx, site, p.Seq, stride)
		if err != nil {
			return err
		}
		for _, e := range events {
			sent, err := o.tellOne(ctx, a, e.Event)
			if err != nil {
				return errors.Join(err, o.saveTold(ctx, site, &p, 1))
			}
			p.Seq = e.Seq
			p.passed++
			if sent {
				if err := o.saveTold(ctx, site, &p, 1); err != nil {
					return err
				}
			}
		}
		if len(events) < stride {
			return o.saveTold(ctx, site, &p, saveEvery)
		}
	}
	return ctx.Err()
}

// tellOne tells of one decision, if Akismet has not heard as much; an error is trouble after
// which it is to be tried again.
func (o *Outside) tellOne(ctx context.Context, a akismet, e comments.Event) (sent bool, err error) {
	if !decision(e) {
		return false, nil
	}
	c, err := o.cfg.Comments.Comment(ctx, e.Comment)
	if errors.Is(err, comments.ErrNotFound) || errors.Is(err, comments.ErrDamaged) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	method, err := o.correction(ctx, a, c, e.Seq)
	if err != nil || method == "" {
		return false, err
	}
	if o.cfg.Now().Sub(e.At) > toldWithin {
		o.cfg.Log.Warn("a decision was not told elsewhere: it is too long ago", "site", e.Site, "seq", e.Seq)
		return false, nil
	}
	page, err := o.cfg.Comments.Page(ctx, c.Site, c.Page)
	if err != nil && !errors.Is(err, comments.ErrNotFound) {
		return false, err
	}
	addrs, err := o.cfg.Addresses.Addresses(ctx, []comments.ID{c.ID})
	if err != nil {
		return false, err
	}
	addr, ok := addrs[c.ID]
	if !ok {
		return false, nil // without it Akismet takes nothing
	}
	// What is under way is not cut off by the end of the service, or it would be told twice.
	_, err = o.callAkismet(context.WithoutCancel(ctx), a, method, akismetForm(a, c, page, addr))
	o.noted(a.record, err)
	if err == nil {
		return true, nil
	}
	trouble, status := TroubleOf(err)
	refused := trouble == TroubleStatus && status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
	if refused && o.refused(e) == refusedMost {
		o.cfg.Log.Warn("a decision was not told elsewhere: it is refused", "site", e.Site, "seq", e.Seq, "status", status)
		return true, nil
	}
	return false, err
}

// refused counts a refusal.
func (o *Outside) refused(e comments.Event) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.no[e.Site]
	if r.seq != e.Seq {
		r = refusal{seq: e.Seq}
	}
	r.times++
	o.no[e.Site] = r
	return r.times
}

// correction is the method by which Akismet learns what the decision at seq makes of a comment,
// or "" when it believes as much already: from what it said itself, and from what it was told
// of the decisions before.
func (o *Outside) correction(ctx context.Context, a akismet, c comments.Comment, seq uint64) (string, error) {
	if c.CreatedAt.Before(a.since) || c.Marks.Has(comments.Withdrawn) || c.Marks.Has(comments.Newsroom) {
		return "", nil
	}
	thought := comments.Approved
	for _, s := range c.Signals {
		switch {
		case s.Check != screen.CheckAkismet:
		case s.Code == screen.NotChecked:
			return "", nil // it never saw it
		default:
			thought = comments.Spam
		}
	}
	history, err := o.cfg.Comments.History(ctx, c.ID)
	if err != nil {
		return "", err
	}
	believes := thought
	for _, h := range history {
		if h.Seq > seq {
			break
		}
		if !decision(h.Event) || h.To == comments.Trashed { // the trash says nothing of why
			continue
		}
		want := thought // waiting, or rejected: nothing to correct
		if h.To == comments.Spam || h.To == comments.Approved {
			want = h.To
		}
		changed := want != believes
		believes = want
		if h.Seq == seq && changed {
			if want == comments.Spam {
				return submitSpam, nil
			}
			return submitHam, nil
		}
	}
	return "", nil
}

// toldOf is how far a site's decisions were told, from where the journal stood when that was
// chosen.
func (o *Outside) toldOf(ctx context.Context, site string, a akismet) (p told, err error) {
	begin := told{Since: a.since, Seq: a.from}
	d, err := o.cfg.Documents.Document(ctx, site, kindSettings, toldID)
	if errors.Is(err, comments.ErrNotFound) {
		return begin, nil
	}
	if err != nil {
		return p, err
	}
	begin.version = d.Version
	if json.Unmarshal(d.Data, &p) != nil || !p.Since.Equal(a.since) {
		return begin, nil
	}
	p.version = d.Version
	return p, nil
}

// saveTold writes that down, unless fewer events were passed since.
func (o *Outside) saveTold(ctx context.Context, site string, p *told, least int) error {
	if p.passed < least {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pauseFirst) // what was sent is written down
	defer cancel()
	d, err := o.cfg.Documents.PutDocument(ctx, moderation.Document{
		Site: site, Kind: kindSettings, ID: toldID, Version: p.version, Data: data, By: comments.ActorSystem,
	}, "")
	p.version, p.passed = d.Version, 0
	return err
}
