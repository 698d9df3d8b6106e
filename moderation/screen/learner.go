package screen

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen/learn"
)

// KindModel is the kind of the documents that hold what was learnt for a site: "base" is what
// it starts from, taught from labelled comments; "state" is the model as it stands, with the
// Seq of the last event it has seen; "thresholds" is from which risk on comments are held.
const (
	KindModel                           = "model"
	KindModelTaught       comments.Kind = "model.taught"
	KindThresholdsChanged comments.Kind = "model.thresholds_changed"

	modelBase       = "base"
	modelState      = "state"
	modelThresholds = "thresholds"
)

// Learner keeps a model a site, which learns from the decisions that the journal tells of: each
// node follows the journal by itself, so that all hold the same model, and one of them (who
// runs Keep) writes it down from time to time. A decision that is undone is unlearnt at once. A
// site that has decided nothing starts from what was taught to it, or to the installation. It is
// safe for concurrent use.
type Learner struct {
	cfg  LearnerConfig
	mu   sync.Mutex
	site map[string]*pupil
	wake chan struct{}
}

// LearnerConfig is what a Learner works with. Every field is needed.
type LearnerConfig struct {
	Desk
	Journal  comments.Journal
	Comments comments.CommentReader
	Log      *slog.Logger
}

// pupil is a site's model and how far it has followed the journal.
type pupil struct {
	id     string
	behind bool // the journal has told of more; guarded by Learner.mu

	loading sync.Mutex  // held while what follows is read, once
	loaded  atomic.Bool // then it stands
	model   *learn.Model
	taught  bool // starts from labelled comments
	limits  Thresholds

	follow  sync.Mutex // held while the journal is followed, and while the model is written
	cursor  uint64
	version uint64 // of the state as it is stored
	unsaved int    // decisions since it was written
}

// NewLearner makes one. Let Observe hear of every commit, and run Follow.
func NewLearner(cfg LearnerConfig) *Learner {
	return &Learner{cfg: cfg, site: map[string]*pupil{}, wake: make(chan struct{}, 1)}
}

// Observe notes that a site's journal has gone on, or that what its model rests on has
// changed. It is a comments.Observer.
func (l *Learner) Observe(c comments.Commit) {
	e := c.Event
	switch {
	case e.Kind == comments.KindSiteRemoved:
		l.mu.Lock()
		delete(l.site, e.Subject)
		l.mu.Unlock()
	case strings.HasPrefix(e.Subject, KindModel+"/") && c.Comment.ID == "":
		l.mu.Lock()
		if e.Site == comments.Installation {
			clear(l.site)
		}
		delete(l.site, e.Site)
		l.mu.Unlock()
	case decision(e):
		l.mu.Lock()
		if p := l.site[e.Site]; p != nil {
			p.behind = true
		}
		l.mu.Unlock()
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// decision reports whether an event is what a moderator has made of a comment. What authors do
// with their own, and what happens by itself, teaches nothing.
func decision(e comments.Event) bool {
	if e.Comment == "" || e.Actor == comments.ActorReader || e.Actor == comments.ActorSystem {
		return false
	}
	return e.Kind == comments.KindDecided || e.Kind == moderation.KindRestored || e.Kind == moderation.KindUndone
}

// pupilOf is a site's, loaded.
func (l *Learner) pupilOf(ctx context.Context, site string) (*pupil, error) {
	l.mu.Lock()
	p := l.site[site]
	if p == nil {
		p = &pupil{id: site, behind: true}
		l.site[site] = p
	}
	l.mu.Unlock()
	if p.loaded.Load() {
		return p, nil
	}
	p.loading.Lock()
	defer p.loading.Unlock()
	if p.loaded.Load() {
		return p, nil
	}
	if err := l.load(ctx, p); err != nil {
		return nil, err
	}
	p.loaded.Store(true)
	select {
	case l.wake <- struct{}{}: // to follow what came since it was written
	default:
	}
	return p, nil
}

// load reads the state that was written last, or begins with what was taught.
func (l *Learner) load(ctx context.Context, p *pupil) error {
	docs, err := l.cfg.Documents.Documents(ctx, p.id, KindModel)
	if err != nil {
		return err
	}
	var base, state *moderation.Document
	for i, d := range docs {
		switch d.ID {
		case modelBase:
			base = &docs[i]
		case modelState:
			state = &docs[i]
		case modelThresholds:
			if p.limits, err = readThresholds(d); err != nil {
				return err
			}
		}
	}
	if state != nil {
		p.version = state.Version
	}
	var shared *moderation.Document
	if base == nil {
		d, err := l.cfg.Documents.Document(ctx, comments.Installation, KindModel, modelBase)
		if err == nil {
			shared = &d
		} else if !errors.Is(err, comments.ErrNotFound) {
			return err
		}
	}
	p.taught = base != nil || shared != nil
	if state != nil && p.read(*state, base, shared) {
		return nil
	}
	p.model, p.cursor = learn.New(), 0
	switch {
	case base != nil:
		m, err := readModel(base.Data)
		if err != nil {
			return fmt.Errorf("what was taught to %s: %w", p.id, err)
		}
		p.model = m.Fork()
	case shared != nil:
		m, err := readModel(shared.Data)
		if err != nil {
			return fmt.Errorf("what was taught to all: %w", err)
		}
		p.model = m.ForkPrior()
	}
	return nil
}

// A state is, in 8 bytes each, the cursor and the version of what it began with (the site's own
// base as it is, the installation's with its highest bit set, 0 without), then the model.
const stateHead = 16

func beginning(base, shared *moderation.Document) uint64 {
	switch {
	case base != nil:
		return base.Version
	case shared != nil:
		return shared.Version | 1<<63
	}
	return 0
}

// read takes a state in; one of another beginning, of another version or that is damaged is
// made anew from the journal.
func (p *pupil) read(state moderation.Document, base, shared *moderation.Document) bool {
	if len(state.Data) < stateHead || binary.BigEndian.Uint64(state.Data[8:]) != beginning(base, shared) {
		return false
	}
	m, err := readModel(state.Data[stateHead:])
	if err != nil {
		return false
	}
	p.model, p.cursor = m, binary.BigEndian.Uint64(state.Data)
	return true
}

func readModel(data []byte) (*learn.Model, error) {
	m := learn.New()
	if err := m.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return m, nil
}

// Warm takes a site's model into memory, so that it follows from now on.
func (l *Learner) Warm(ctx context.Context, site string) error {
	_, err := l.pupilOf(ctx, site)
	return err
}

// Follow learns what the journals tell, until ctx is done. What fails is logged and tried again.
func (l *Learner) Follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
		if err := l.CatchUp(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Log.Error("the journal can't be learnt from now", "err", err)
			l.again(ctx)
		}
	}
}

// followAgain is how long what could not be read is let be.
const followAgain = 5 * time.Second

func (l *Learner) again(ctx context.Context) {
	t := time.NewTimer(followAgain)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// CatchUp learns all that the journals of the sites in memory have told so far.
func (l *Learner) CatchUp(ctx context.Context) error {
	l.mu.Lock()
	var due []*pupil
	for _, id := range slices.Sorted(maps.Keys(l.site)) {
		if p := l.site[id]; p.behind {
			p.behind = false
			due = append(due, p)
		}
	}
	l.mu.Unlock()
	var errs []error
	for _, p := range due {
		if err := l.catchUp(ctx, p); err != nil {
			l.mu.Lock()
			p.behind = true
			l.mu.Unlock()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// followStride is how many events are read at once.
const followStride = 500

func (l *Learner) catchUp(ctx context.Context, p *pupil) error {
	p.follow.Lock()
	defer p.follow.Unlock()
	for p.loaded.Load() {
		events, err := l.cfg.Journal.Events(ctx, p.id, p.cursor, followStride)
		if err != nil {
			return err
		}
		for _, e := range events {
			if decision(e.Event) {
				if err := l.take(ctx, p, e.Event); err != nil {
					return err
				}
			}
			p.cursor = e.Seq
		}
		if len(events) < followStride {
			return nil
		}
	}
	return nil
}

// take learns one decision, or unlearns what was learnt of the comment when it waits again.
func (l *Learner) take(ctx context.Context, p *pupil, e comments.Event) error {
	c, err := l.cfg.Comments.Comment(ctx, e.Comment)
	if errors.Is(err, comments.ErrNotFound) || errors.Is(err, comments.ErrDamaged) {
		return nil // nothing to learn from
	}
	if err != nil {
		return err
	}
	example := learn.Example{ID: string(c.ID), Text: learntText(c), Positive: e.To != comments.Approved}
	p.unsaved++
	if e.To == comments.Pending {
		err := p.model.Unlearn(example)
		if errors.Is(err, learn.ErrUnknown) {
			return nil
		}
		return err
	}
	p.model.Learn(example)
	return nil
}

// learntText is what the model reads of a comment.
func learntText(c comments.Comment) string {
	if c.Title == "" {
		return c.Content
	}
	return c.Title + "\n" + c.Content
}

// Limits of what is said of a risk.
const (
	learntLeast = 30  // decisions before a site's model is asked, unless it was taught
	riskTold    = 0.4 // from which on a signal says so
	wordsTold   = 5
)

// Check estimates how likely a comment is to be rejected, by the site's own decisions so far:
// Risk for every comment, and from riskTold on a signal with the words that drove it: "risk" of
// level info, or "over_hold" and "over_spam" of level hold and spam from the site's own thresholds
// on; Args "percent" and "words".
func (l *Learner) Check() Check {
	return Check{
		Name:  "learnt",
		Codes: []string{"risk", "over_hold", "over_spam"},
		Weigh: func(ctx context.Context, c comments.Candidate) ([]comments.Signal, uint16, error) {
			p, err := l.pupilOf(ctx, c.Site.ID)
			if err != nil {
				return nil, 0, err
			}
			if !p.taught && p.model.Learnt() < learntLeast {
				return nil, 0, nil
			}
			text := learntText(c.Comment)
			risk, reasons := p.model.Explain(text, wordsTold)
			permille := uint16(min(max(risk*1000+0.5, 1), 1000))
			return p.limits.signals(risk, reasons, len(text)-len(c.Comment.Content)), permille, nil
		},
	}
}

// signals tell of a risk. The content begins at a byte of the text that was read.
func (t Thresholds) signals(risk float64, reasons []learn.Reason, content int) []comments.Signal {
	level, code := comments.LevelInfo, "risk"
	switch {
	case t.Spam > 0 && risk >= t.Spam:
		level, code = comments.LevelSpam, "over_spam"
	case t.Hold > 0 && risk >= t.Hold:
		level, code = comments.LevelHold, "over_hold"
	case risk < riskTold:
		return nil
	}
	var named []string
	var places []comments.Place
	for _, r := range reasons {
		named = append(named, r.Word)
		for _, s := range r.Places {
			p := comments.Place{Field: "content", Start: s.Start - content, End: s.End - content}
			if s.Start < content {
				p = comments.Place{Field: "title", Start: s.Start, End: min(s.End, content-1)}
			}
			if len(places) < placesMost {
				places = append(places, p)
			}
		}
	}
	return []comments.Signal{{
		Level: level, Code: code, Places: places,
		Args: map[string]string{"percent": strconv.Itoa(int(risk*100 + 0.5)), "words": strings.Join(named, ", ")},
	}}
}
