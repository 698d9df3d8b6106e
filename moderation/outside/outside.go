// Package outside asks services elsewhere about a submission, where a site has chosen to:
// Akismet, and a hook of the newsroom's own. Their answers are signals like any other check's;
// they never refuse, and a service that doesn't answer in time holds the comment.
//
// Nothing is asked until who manages a site switches it on, and nothing but what the question
// needs is sent. Keys and secrets are sealed in the store and shown to nobody.
package outside

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// Store is what is read of comments.
type Store interface {
	comments.CommentReader
	comments.Journal
	Site(ctx context.Context, id string) (comments.Site, error)
	Sites(ctx context.Context) ([]comments.Site, error)
	Page(ctx context.Context, site, key string) (comments.Page, error)
}

// Config is what Outside works with. Every field down to Log is needed.
type Config struct {
	Documents moderation.DocumentStore
	Addresses moderation.AddressReader
	Comments  Store
	// Allowed is comments.ErrForbidden for who may not do that on a site; see
	// moderation.Service.Allowed.
	Allowed func(ctx context.Context, who moderation.Moderator, p moderation.Permission, site string) error
	// Key, of at least 16 bytes, seals keys and secrets. It must outlive every change of the
	// installation's secret.
	Key []byte
	Now func() time.Time
	Log *slog.Logger

	AkismetURL string         // "" = Akismet's own; ends in a slash
	Roots      *x509.CertPool // nil = the system's
	Resolver   *net.Resolver  // nil = the system's
	RestFor    time.Duration  // how long a service that fails isn't asked; 0 = restFor
	PauseFirst time.Duration  // before feedback that failed is sent again; 0 = pauseFirst
}

const (
	akismetURL    = "https://rest.akismet.com/1.1/"
	akismetWithin = 3 * time.Second
	restFor       = 30 * time.Second
	// failuresInRow are as many as have a service rest.
	failuresInRow = 5
)

// Outside asks. It is safe for concurrent use once Allow has been called.
type Outside struct {
	cfg     Config
	vault   *moderation.Vault
	kept    *moderation.Keeper[*chosen]
	line    line
	records records
	feedback
}

// New makes one that reaches public addresses alone. Let Observe hear of every commit.
func New(cfg Config) (*Outside, error) {
	if cfg.Documents == nil || cfg.Addresses == nil || cfg.Comments == nil || cfg.Allowed == nil || cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("outside: store, permissions, clock and log are needed")
	}
	if cfg.AkismetURL == "" {
		cfg.AkismetURL = akismetURL
	}
	if cfg.RestFor == 0 {
		cfg.RestFor = restFor
	}
	if cfg.PauseFirst == 0 {
		cfg.PauseFirst = pauseFirst
	}
	vault, err := moderation.NewVault(cfg.Key)
	if err != nil {
		return nil, err
	}
	o := &Outside{cfg: cfg, vault: vault, records: records{all: map[[2]string]*record{}}, feedback: newFeedback()}
	o.kept = moderation.NewKeeper(cfg.Documents, kindSettings, o.read)
	o.line = newLine(cfg, nil)
	return o, nil
}

// Allow lets addresses of the operator's own networks be reached too, over plain HTTP as well.
// Call it before serving.
func (o *Outside) Allow(networks []netip.Prefix) { o.line = newLine(o.cfg, networks) }

// Observe is a comments.Observer.
func (o *Outside) Observe(c comments.Commit) {
	o.kept.Observe(c)
	if c.Event.Kind == comments.KindSiteRemoved {
		o.records.forget(c.Event.Subject)
	}
	o.hear(c)
}

// Checks are the checks that ask, one a service.
func (o *Outside) Checks() []screen.Check {
	return []screen.Check{screen.Akismet(o.lookAkismet), screen.Hook(o.lookHook)}
}

// chosen is what a site has chosen, ready to be used.
type chosen struct {
	akismet akismet
	hook    hook
}

// Standing is how a service has answered this node since its settings changed.
type Standing struct {
	Resting   bool      // it has failed too often, and isn't asked for a while
	Answered  time.Time // last
	Failed    time.Time // last
	Trouble   Trouble   // of the last failure
	Status    int       // of the last failure, if it was one
	Alert     string    // what the service wants the operator to know, in its own words
	AlertedAt time.Time
}

// record keeps how a service answers, and has it rest. There is one for each version of what
// was chosen, however often that is read.
type record struct {
	version uint64
	breaker *breaker
	*standing
}

type standing struct {
	mu sync.Mutex
	s  Standing
}

// rested is a record of the same, asked by another breaker.
func (r *record) rested(b *breaker) *record { return &record{r.version, b, r.standing} }

func (s *standing) note(now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.s.Answered = now
		return
	}
	s.s.Failed = now
	s.s.Trouble, s.s.Status = TroubleOf(err)
}

func (s *standing) alert(now time.Time, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Alert, s.s.AlertedAt = words, now
}

// stands is the record as it is told.
func (r *record) stands() Standing {
	if r == nil {
		return Standing{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.s
	s.Resting = r.breaker.State() == gobreaker.StateOpen
	return s
}

// records are those of all sites.
type records struct {
	mu  sync.Mutex
	all map[[2]string]*record // by site and service
}

// recordOf is the record of a service, begun anew with every change of what was chosen.
func (o *Outside) recordOf(d moderation.Document) *record {
	o.records.mu.Lock()
	defer o.records.mu.Unlock()
	at := [2]string{d.Site, d.ID}
	r := o.records.all[at]
	if r != nil && r.version == d.Version {
		return r
	}
	fresh := &record{d.Version, o.newBreaker(d.Site, d.ID), &standing{}}
	if r == nil || r.version < d.Version { // else it was read before somebody changed it
		o.records.all[at] = fresh
	}
	return fresh
}

// forget drops those of a site that is gone.
func (r *records) forget(site string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, [2]string{site, akismetID})
	delete(r.all, [2]string{site, hookID})
}
