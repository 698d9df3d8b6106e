package moderation

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"duyet/comments"
	"duyet/comments/search"
)

// Service is the moderators' wing: every rule and permission. It is safe for concurrent
// use.
type Service struct {
	cfg    Config
	hashes chan struct{} // bounds how many passwords are hashed at once
	search *search.Engine

	reasons *Keeper[reasonWords]

	bulkWake, scheduleWake, statsWake chan struct{} // there is something to do

	statsMu  sync.Mutex
	statsDue map[string]bool // sites of which something is to be counted
}

// Journal is what has happened, and the index by which comments are found.
type Journal interface {
	comments.Journal
	comments.IndexStore
}

// SiteReader finds a site quickly; comments.Service is one.
type SiteReader interface {
	Site(ctx context.Context, id string) (comments.Site, error)
}

// PageReader reads single pages and comments.
type PageReader interface {
	Page(ctx context.Context, site, key string) (comments.Page, error)
	Revisions(ctx context.Context, id comments.ID) ([]comments.Revision, error)
	Reports(ctx context.Context, id comments.ID) ([]comments.Report, error)
	Thread(ctx context.Context, site, key string, sort comments.Sort, after comments.ID, limit int) ([]comments.Comment, error)
	comments.CommentReader
	comments.AuthorReader
}

// Throttle slows sign-in down after failures, by account and by network.
type Throttle interface {
	// Allow is a *comments.LimitedError while the account or the network has failed too
	// often.
	Allow(email string, addr netip.Addr) error
	// Failed counts a failure.
	Failed(email string, addr netip.Addr)
}

// Config is what a Service works with. Every field is needed.
type Config struct {
	Store    Store
	Comments SiteReader
	Sites    comments.SiteStore
	Pages    PageReader
	Mover    PageMover
	Desk     Desk
	Journal  Journal
	Throttle Throttle
	Now      func() time.Time
	// Key, of at least 16 bytes, seals secrets that the store holds. It must outlive every
	// change of the installation's secret.
	Key []byte
	// Passkeys is how they are made and read.
	Passkeys Passkeys
	// Provider is who may say who somebody is; nil = nobody else.
	Provider IdentityProvider
}

// hashesAtOnce bounds the memory that sign-ins take: argon2id needs 64 MiB each.
const hashesAtOnce = 2

// NewService starts the moderators' wing.
func NewService(cfg Config) *Service {
	found := struct {
		Journal
		QueueReader
	}{cfg.Journal, cfg.Store}
	return &Service{
		cfg: cfg, hashes: make(chan struct{}, hashesAtOnce), search: search.New(found, cfg.Now), reasons: NewKeeper(cfg.Store, reasonsKind, readReasons),
		bulkWake: make(chan struct{}, 1), scheduleWake: make(chan struct{}, 1), statsWake: make(chan struct{}, 1),
		statsDue: map[string]bool{},
	}
}

// Search is the engine by which queues are searched, whose index is to be kept.
func (s *Service) Search() *search.Engine { return s.search }
