package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"golang.org/x/sync/errgroup"

	"duyet/cmd/internal/config"
	"duyet/cmd/internal/control"
	"duyet/cmd/internal/httpd"
	"duyet/cmd/internal/metrics"
	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/audience"
	"duyet/comments/captcha"
	"duyet/comments/live"
	"duyet/comments/web"
	"duyet/moderation"
	"duyet/moderation/console"
	"duyet/moderation/oidc"
	"duyet/templates"
)

// service is a running installation: its doors, its control socket and its housekeeping.
type service struct {
	cfg       config.Serve
	log       *slog.Logger
	metrics   *metrics.Metrics
	in        *installation
	readers   *audience.Audience
	templates *templates.Set
	front     *httpd.Server
	live      *live.Hub
	endDesk   func() // ends the desk's streams
	listener  net.Listener
	ops       net.Listener // nil = none
}

func newLogger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// newService opens an installation and makes everything ready to run on l, which
// it owns from now on: nil means that it listens by itself. Whatever it opened is closed
// again when it fails.
func newService(ctx context.Context, cfg config.Serve, l net.Listener, o options, log *slog.Logger) (_ *service, err error) {
	s := &service{cfg: cfg, log: log, metrics: metrics.New(version()), listener: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	o.wait, o.log = waitForLock, log
	o.onCommit = func(operations int, took time.Duration) { s.metrics.Commit(took, operations) }
	s.in, err = openInstallation(ctx, o)
	if err != nil {
		return nil, err
	}
	if s.listener == nil {
		if s.listener, err = listen(ctx, "--listen", cfg.Listen); err != nil {
			return nil, err
		}
	}
	if cfg.OpsListen != "" {
		if s.ops, err = listen(ctx, "--ops-listen", cfg.OpsListen); err != nil {
			return nil, err
		}
	}
	s.in.address = baseAddress(cfg.BaseURL, s.addrPort())
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, nil
}

// close closes what a service that never ran has opened.
func (s *service) close() error {
	var errs []error
	for _, l := range []net.Listener{s.listener, s.ops} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if s.live != nil {
		s.live.Close()
	}
	if s.in != nil {
		errs = append(errs, s.in.close())
	}
	return errors.Join(errs...)
}

func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: choose another address with %s: %w", addr, flag, err)
	}
	return l, nil
}

func (s *service) addrPort() netip.AddrPort {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// build makes the doors and puts them behind one front.
func (s *service) build() error {
	base := s.cfg.BasePath()
	var err error
	if s.templates, err = templates.New(templates.Options{Dir: s.cfg.TemplatesDir, Base: base, Log: s.log}); err != nil {
		return err
	}
	templates.UseProblems(s.templates)
	clientIP, err := httpd.ClientIP(s.cfg.TrustedProxy)
	if err != nil {
		return err
	}
	router := mux.NewRouter()
	api := httpd.NewAPI(router, version(), base)
	speaker, err := captcha.NewSpeaker(s.cfg.SoundsDir)
	if err != nil {
		return usagef("--sounds: %w", err)
	}
	s.live = live.New(live.Config{Head: s.seq})
	s.readers = audience.New(audience.Config{Store: s.in.store.Audience(), Now: s.in.now, Shared: s.in.store.Shared(), Log: s.log})
	s.in.store.Comments().Observe(s.readers.Observer())
	gallery, err := captcha.NewGallery(captcha.NewPainter(), captcha.GalleryBytes)
	if err != nil {
		return err
	}
	readers, err := web.New(web.Config{
		Service: s.in.comments, Templates: s.templates, API: api, Picture: gallery, Sound: captcha.NewChoir(speaker),
		BaseURL: origin(s.cfg.BaseURL), ClientIP: clientIP, ReceiptCode: s.in.receipts.Code,
		CacheBytes: int64(s.cfg.CacheSize), Tally: s.metrics, Live: s.live, Audience: s.readers,
		Behind: s.in.store.Behind(), StaleFor: s.cfg.StaleFor,
		ReasonText: func(ctx context.Context, site, code, lang string) string {
			return s.in.moderation.ReasonWords(ctx, site, code, lang).Text
		},
	})
	if err != nil {
		return err
	}
	s.in.store.Comments().Observe(readers.Observer())
	s.in.store.Comments().ObserveLikes(readers.ObserveLikes)
	s.in.store.Comments().Observe(s.live.Observe) // after the cache, which whoever is told asks
	if err := s.useProvider(); err != nil {
		return err
	}
	s.in.outside.Allow(s.cfg.OutsideAllow)
	desk, err := console.New(console.Config{
		ProviderURL: s.cfg.OIDC.Issuer, ProviderName: s.cfg.OIDC.Label(),
		Service: s.in.moderation, Sessions: s.in.store.Moderation(), Templates: s.templates, API: api,
		BaseURL: origin(s.cfg.BaseURL), ClientIP: clientIP, Now: s.in.now,
		Screening: &console.Screening{Lists: s.in.lists, Repeats: s.in.repeats, Learner: s.in.learner, Bans: s.in.bans, Rules: s.in.rules, Outside: s.in.outside},
		Alarm:     s.in.alarm,
	})
	if err != nil {
		return err
	}
	s.endDesk = desk.EndLive
	s.in.store.Comments().Observe(desk.Observe)
	if s.in.store.Shared() {
		s.metrics.WatchNode(metrics.Node{Behind: s.in.store.Behind(), Replica: s.in.store.StandbyReads})
	}
	s.metrics.Watch(metrics.Sources{Queues: s.queues, Size: s.size, Attacks: s.in.alarm.Raisings, Now: s.in.now})
	s.front, err = httpd.New(httpd.Config{
		Templates: s.templates, Router: router, API: api, Doors: []httpd.Door{readers, desk}, BasePath: base,
		Ready: s.in.store.Ready, Meter: func(route string) httpd.Observe { return s.metrics.Route(route) }, Log: s.log,
		EndAfter: s.cfg.DrainDelay,
	})
	return err
}

// useProvider lets moderators sign in by an identity provider, if one is configured.
func (s *service) useProvider() error {
	if s.cfg.OIDC.Issuer == "" {
		return nil
	}
	provider, err := oidc.New(oidc.Config{
		Issuer: s.cfg.OIDC.Issuer, ClientID: s.cfg.OIDC.ClientID, ClientSecret: s.cfg.OIDC.ClientSecret,
		Callback: s.cfg.BaseURL.JoinPath("moderation/login/provider/answer"),
	})
	if err != nil {
		return usagef("--oidc-issuer: %w", err)
	}
	s.in.moderation.UseProvider(provider)
	return nil
}

// origin is an address without its path: the doors put the base path in by templates.Set.
func origin(u *url.URL) *url.URL {
	if u == nil {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}
}

// queues reads what waits on each site, for a scrape: two cheap reads a site.
func (s *service) queues(ctx context.Context) ([]metrics.Queue, error) {
	sites, err := s.in.comments.Sites(ctx)
	if err != nil {
		return nil, err
	}
	queues := make([]metrics.Queue, len(sites))
	for i, site := range sites {
		head, err := s.in.store.Comments().Head(ctx, site.ID)
		if err != nil {
			return nil, err
		}
		queues[i] = metrics.Queue{Site: site.ID, Pending: head.Counts.Pending}
		oldest, err := s.in.store.Moderation().Queue(ctx, moderation.QueueFilter{Site: site.ID, Status: comments.Pending, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(oldest) > 0 {
			queues[i].Oldest = oldest[0].CreatedAt
		}
	}
	return queues, nil
}

// seq is where a site's journal ends.
func (s *service) seq(ctx context.Context, site string) (uint64, error) {
	head, err := s.in.store.Comments().Head(ctx, site)
	return head.Seq, err
}

func (s *service) size() (int64, error) {
	stats, err := s.in.store.Stats(context.Background())
	return stats.FileBytes, err
}

// run serves until ctx ends or something fails, and closes the installation. ready is
// called once requests and commands are taken; more is run beside the rest and must end
// when its context does.
func (s *service) run(ctx context.Context, ready func(), more ...func(context.Context) error) error {
	s.logHeads(ctx)
	g, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, s.live.Close) // streams end at once, or the front would wait for them
	context.AfterFunc(ctx, s.endDesk)
	g.Go(func() error { return s.front.Serve(ctx, s.listener) })
	if s.ops != nil {
		g.Go(func() error { return httpd.ServePlain(ctx, s.ops, httpd.Ops(s.metrics.Handler()), s.log) })
	}
	g.Go(func() error {
		return control.Serve(ctx, s.in.data, func(ctx context.Context, req control.Request, stdin io.Reader, stdout, stderr io.Writer) int {
			return answerControl(ctx, s.in, req, stdin, stdout, stderr)
		}, s.log, sync.OnceFunc(ready))
	})
	g.Go(func() error { return s.in.store.Lead(ctx, s.lead) })
	g.Go(func() error { return s.follow(ctx) })
	g.Go(func() error { return s.backUp(ctx) })
	g.Go(func() error { return s.in.alarm.Run(ctx) })
	g.Go(func() error { return s.fillCodes(ctx) })
	g.Go(func() error { s.readers.Run(ctx); return nil })
	for _, fn := range more {
		g.Go(func() error { return fn(ctx) })
	}
	err := g.Wait()
	// Nobody writes any more.
	s.logHeads(context.WithoutCancel(ctx))
	return errors.Join(err, s.in.close())
}

// logHeads writes down where every journal ends, for `duyet audit verify --head`.
func (s *service) logHeads(ctx context.Context) {
	heads, err := s.in.store.Heads(ctx)
	if err != nil {
		s.log.Error("the journals' heads can't be read", "err", err)
		return
	}
	for _, line := range headLines(storage.NewHeads(heads)) {
		s.log.Info("journal", "head", line)
	}
}
