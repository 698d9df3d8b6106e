package screen

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen/learn"
)

// Thresholds are the risks, 0 to 1, from which on a site has comments held, or taken for spam;
// 0 = never, which is how a site begins.
type Thresholds struct {
	Hold    float64 `json:"hold"`
	Spam    float64 `json:"spam"`
	Version uint64  `json:"-"`
}

func readThresholds(d moderation.Document) (t Thresholds, err error) {
	if json.Unmarshal(d.Data, &t) != nil {
		return t, fmt.Errorf("thresholds of %s: %w", d.Site, comments.ErrDamaged)
	}
	t.Version = d.Version
	return t, nil
}

// saveEvery and saveDecisions say how often a state is written: a crash costs no more than
// learning as much again.
const (
	saveEvery     = 5 * time.Minute
	saveDecisions = 200
	saveLook      = 20 * time.Second
)

// Keep writes models down from time to time until ctx is done, and once more then. One node
// does it at a time.
func (l *Learner) Keep(ctx context.Context) error {
	tick := time.NewTicker(saveLook)
	defer tick.Stop()
	last := l.cfg.Now()
	for {
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLook/4)
			defer cancel()
			return l.Save(end, 1)
		case <-tick.C:
		}
		least := saveDecisions
		if l.cfg.Now().Sub(last) >= saveEvery {
			least, last = 1, l.cfg.Now()
		}
		if err := l.Save(ctx, least); err != nil && ctx.Err() == nil {
			l.cfg.Log.Error("what was learnt can't be written down now", "err", err)
		}
	}
}

// Save writes the models that have taken at least so many decisions since.
func (l *Learner) Save(ctx context.Context, least int) error {
	l.mu.Lock()
	all := slices.Collect(maps.Values(l.site))
	l.mu.Unlock()
	var errs []error
	for _, p := range all {
		if err := l.save(ctx, p, least); err != nil && !errors.Is(err, comments.ErrUnknownSite) {
			errs = append(errs, fmt.Errorf("model of %s: %w", p.id, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Learner) save(ctx context.Context, p *pupil, least int) error {
	p.follow.Lock()
	defer p.follow.Unlock()
	if !p.loaded.Load() || p.unsaved < least {
		return nil
	}
	begun, err := l.begun(ctx, p.id)
	if err != nil {
		return err
	}
	model, err := p.model.MarshalBinary()
	if err != nil {
		return err
	}
	data := binary.BigEndian.AppendUint64(make([]byte, 0, stateHead+len(model)), p.cursor)
	data = append(binary.BigEndian.AppendUint64(data, begun), model...)
	d := moderation.Document{Site: p.id, Kind: KindModel, ID: modelState, Version: p.version, Data: data, By: comments.ActorSystem}
	stored, err := l.cfg.Documents.PutDocument(ctx, d, "")
	if errors.Is(err, comments.ErrConflict) || errors.Is(err, comments.ErrNotFound) && !errors.Is(err, comments.ErrUnknownSite) {
		// Another node has written it since. What it wrote is as good.
		stands, err := l.cfg.Documents.Document(ctx, p.id, KindModel, modelState)
		if err == nil {
			p.version = stands.Version
		}
		return err
	}
	if err == nil {
		p.version, p.unsaved = stored.Version, 0
	}
	return err
}

// begun is what a site's model begins with, as a state names it.
func (l *Learner) begun(ctx context.Context, site string) (uint64, error) {
	base, err := l.cfg.Documents.Document(ctx, site, KindModel, modelBase)
	if err == nil {
		return beginning(&base, nil), nil
	}
	if errors.Is(err, comments.ErrNotFound) && !errors.Is(err, comments.ErrUnknownSite) {
		if base, err = l.cfg.Documents.Document(ctx, comments.Installation, KindModel, modelBase); err == nil {
			return beginning(nil, &base), nil
		}
	}
	if errors.Is(err, comments.ErrNotFound) && !errors.Is(err, comments.ErrUnknownSite) {
		return 0, nil
	}
	return 0, err
}

// Teach gives a site, or with comments.Installation every site that was not taught itself, a
// model to start from. It takes the place of what was taught before; the site's own decisions
// are learnt on top of it, from its journal.
func (l *Learner) Teach(ctx context.Context, site string, examples []learn.Example, actor string) error {
	m := learn.New()
	for _, e := range examples {
		m.Learn(e)
	}
	data, err := m.MarshalBinary()
	if err != nil {
		return err
	}
	d := moderation.Document{Site: site, Kind: KindModel, ID: modelBase, Data: data, By: actor}
	stands, err := l.cfg.Documents.Document(ctx, site, KindModel, modelBase)
	switch {
	case err == nil:
		d.Version = stands.Version
	case errors.Is(err, comments.ErrUnknownSite) || !errors.Is(err, comments.ErrNotFound):
		return err
	}
	_, err = l.cfg.Documents.PutDocument(ctx, d, KindModelTaught)
	return err
}

// Standing is what a site's model knows, and how it would have done.
type Standing struct {
	Learnt     int  // decisions
	Taught     bool // from labelled comments, the site's or the installation's
	Thresholds Thresholds
	At         []At        // how round thresholds would have done
	Curve      []learn.Bin // how it did over time
}

// At is a threshold and how it would have done on the site's recent decisions.
type At struct {
	Threshold float64
	learn.Measured
}

// Standing tells of a site's model.
func (l *Learner) Standing(ctx context.Context, who moderation.Moderator, site string) (Standing, error) {
	if err := l.cfg.Allowed(ctx, who, moderation.See, site); err != nil {
		return Standing{}, err
	}
	p, err := l.pupilOf(ctx, site)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Learnt: p.model.Learnt(), Taught: p.taught, Thresholds: p.limits, Curve: p.model.Curve()}
	steps := []float64{0.3, 0.5, 0.7, 0.8, 0.9, 0.95}
	for _, own := range []float64{p.limits.Hold, p.limits.Spam} {
		if own > 0 && !slices.Contains(steps, own) {
			steps = append(steps, own)
		}
	}
	slices.Sort(steps)
	for _, t := range steps {
		s.At = append(s.At, At{t, p.model.At(t)})
	}
	return s, nil
}

// SetThresholds changes from which risk on comments are held or taken for spam, if they still
// are at their version.
func (l *Learner) SetThresholds(ctx context.Context, who moderation.Moderator, site string, t Thresholds) error {
	if err := l.cfg.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return err
	}
	for field, v := range map[string]float64{"hold": t.Hold, "spam": t.Spam} {
		if !(v == 0 || v >= 0.05 && v <= 1) {
			return comments.Invalid(field, comments.CodeWrongType)
		}
	}
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = l.cfg.Documents.PutDocument(ctx, moderation.Document{
		Site: site, Kind: KindModel, ID: modelThresholds, Version: t.Version, Data: data, By: who.ID,
	}, KindThresholdsChanged)
	return err
}
