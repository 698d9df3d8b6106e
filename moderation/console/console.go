// Package console is the moderators' door: sign-in, the desk with its queues and decisions,
// the journal, and the API under /api/v1/moderation.
//
// It parses, makes one call to moderation.Service and answers; who may do what is decided
// there. Every page works without a script, every change is a POST of the desk's own origin,
// and the API takes a bearer token and nothing else.
package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// Config is what a Console works with. Every field but BaseURL, Screening and Alarm is needed.
type Config struct {
	Service   *moderation.Service
	Sessions  moderation.SessionStore
	Templates *templates.Set
	// API takes the operations under /api/v1/moderation; it is shared with the readers' door.
	API huma.API
	// ProviderURL is where sign-in by an identity provider leads to, and ProviderName what
	// its button calls it; "" = there is none.
	ProviderURL, ProviderName string
	// BaseURL is the address the service is known by; nil = the request's own host.
	BaseURL  *url.URL
	ClientIP func(*http.Request) netip.Addr
	Now      func() time.Time
	// Screening is the checks that people work with; nil = their pages don't exist.
	Screening *Screening
	// Alarm tells which attacks go on; nil = the desk says nothing of them.
	Alarm Alarm
}

// Alarm knows the attacks that go on; moderation/alarm implements it.
type Alarm interface {
	Going(ctx context.Context, site comments.Site) []moderation.Attack
}

// Console answers the moderators' requests. It is safe for concurrent use.
type Console struct {
	cfg      Config
	set      *templates.Set
	sessions *scs.SessionManager
	crossing *http.CrossOriginProtection
	live     *live
}

// New makes the door. The error names what is missing.
func New(cfg Config) (*Console, error) {
	switch {
	case cfg.Service == nil, cfg.Sessions == nil, cfg.Templates == nil, cfg.API == nil:
		return nil, errors.New("console: service, sessions, templates and API are needed")
	case cfg.ClientIP == nil, cfg.Now == nil:
		return nil, errors.New("console: a client address and a clock are needed")
	case cfg.BaseURL != nil && cfg.BaseURL.Host == "":
		return nil, fmt.Errorf("console: base URL %q names no host", cfg.BaseURL)
	}
	c := &Console{cfg: cfg, set: cfg.Templates, crossing: http.NewCrossOriginProtection(), live: newLive()}
	// Not by scs.New, which starts a store of its own in memory with a goroutine to sweep it.
	c.sessions = &scs.SessionManager{
		Store: sessionStore{cfg.Sessions, cfg.Now}, Lifetime: moderation.SessionFor, Codec: scs.GobCodec{},
	}
	return c, nil
}

// Routes adds the pages to r and the operations to the API.
func (c *Console) Routes(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	r.Handle("/moderation", http.RedirectHandler(c.set.URL("/moderation/"), http.StatusSeeOther)).Methods(get...)
	r.Handle("/moderation/", c.forModerators(c.showDesk)).Methods(get...)
	r.Handle("/moderation/filters", c.forModerators(c.keepFilter)).Methods(http.MethodPost)
	r.Handle("/moderation/decisions", c.forModerators(c.decide)).Methods(http.MethodPost)
	r.Handle("/moderation/live", c.forModerators(c.listen)).Methods(get...)
	r.Handle("/moderation/handover", c.forModerators(c.writeHandOver)).Methods(http.MethodPost)
	r.Handle("/moderation/presence", c.forModerators(c.present)).Methods(http.MethodPost)
	r.Handle("/moderation/comments/{id}", c.forModerators(c.showComment)).Methods(get...)
	r.Handle("/moderation/audit", c.forModerators(c.showJournal)).Methods(get...)
	r.Handle("/moderation/audit/verify", c.forModerators(c.verifyJournal)).Methods(http.MethodPost)
	r.Handle("/moderation/audit.csv", c.forModerators(c.exportJournal(newAuditCSV, "text/csv; charset=utf-8", "duyet.csv"))).Methods(get...)
	r.Handle("/moderation/audit.jsonl", c.forModerators(c.exportJournal(newAuditLines, "application/jsonl", "duyet.jsonl"))).Methods(get...)
	r.Handle("/moderation/login", c.forAnybody(c.showSignIn)).Methods(get...)
	r.Handle("/moderation/login", c.forAnybody(c.signIn)).Methods(http.MethodPost)
	r.Handle("/moderation/link", c.forAnybody(c.showLink)).Methods(get...)
	r.Handle("/moderation/link", c.forAnybody(c.useLink)).Methods(http.MethodPost)
	r.Handle("/moderation/login/code", c.forAnybody(c.showSecond)).Methods(get...)
	r.Handle("/moderation/login/code", c.forAnybody(c.second)).Methods(http.MethodPost)
	r.Handle("/moderation/login/passkey/begin", c.forAnybody(c.beginPasskeySignIn)).Methods(http.MethodPost)
	r.Handle("/moderation/login/passkey", c.forAnybody(c.passkeySignIn)).Methods(http.MethodPost)
	r.Handle("/moderation/login/provider", c.forAnybody(c.beginProvider)).Methods(http.MethodPost)
	r.Handle("/moderation/login/provider/answer", c.forAnybody(c.providerAnswered)).Methods(http.MethodGet)
	r.Handle("/moderation/account", c.forModerators(c.showAccount)).Methods(get...)
	r.Handle("/moderation/account", c.forModerators(c.changeAccount)).Methods(http.MethodPost)
	r.Handle("/moderation/account/qr.png", c.forModerators(c.showOffer)).Methods(get...)
	r.Handle("/moderation/account/passkey/begin", c.forModerators(c.beginPasskey)).Methods(http.MethodPost)
	r.Handle("/moderation/account/passkey", c.forModerators(c.finishPasskey)).Methods(http.MethodPost)
	r.Handle("/moderation/people", c.forModerators(c.showPeople)).Methods(get...)
	r.Handle("/moderation/people", c.forModerators(c.invite)).Methods(http.MethodPost)
	r.Handle("/moderation/people/{id}", c.forModerators(c.showPerson)).Methods(get...)
	r.Handle("/moderation/people/{id}", c.forModerators(c.changePerson)).Methods(http.MethodPost)
	r.Handle("/moderation/logout", c.forAnybody(c.signOut)).Methods(http.MethodPost)
	c.screeningRoutes(r)
	c.judgeRoutes(r)
	c.bulkRoutes(r)
	c.statsRoutes(r)
	c.attackRoutes(r)
	c.settingsRoutes(r)
	c.registerAPI()
}
