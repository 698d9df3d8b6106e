package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"duyet/cmd/internal/config"
	"duyet/cmd/internal/demo"
	"duyet/cmd/internal/httpd"
	"duyet/comments"
	"duyet/comments/audience"
	"duyet/moderation"
)

// demoModerator is who the demo's sign-in link is for.
const demoModerator = "bientap@benthuong.example"

// portsTried is how many ports in a row are tried when the first is taken.
const portsTried = 50

type demoCmd struct {
	config.Web `embed:""`
	Listen     string `help:"Address of the service; if its port is taken, the next free one. Default: ${default}." default:"127.0.0.1:8080" placeholder:"ADDR"`
	SitePort   int    `help:"Port of the news site on localhost; if it is taken, the next free one. Default: ${default}." default:"8081" placeholder:"PORT"`
}

func (c *demoCmd) run(ctx context.Context, e *env) (err error) {
	data, cleanUp, err := demoFolder(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	// What a log would say is not what somebody who looks around wants to read.
	log := slog.New(slog.NewTextHandler(e.errs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	// A free port is looked for before anything is opened, and kept.
	service, err := listenNext(ctx, c.Listen)
	if err != nil {
		return err
	}
	site, err := listenLocalhost(ctx, c.SitePort)
	if err != nil {
		return errors.Join(err, service.Close())
	}
	// Included in another origin's pages, links of ours need ours.
	base := mustURL("http://" + service.Addr().String())
	s, err := newService(ctx, config.Serve{Web: c.Web, BaseURL: base}, service, options{data: data, secret: e.secret, holder: "duyet demo"}, log)
	if err != nil {
		return errors.Join(err, site.close())
	}
	news := demo.New(demo.Config{
		Templates: s.templates, Service: mustURL(s.in.address), Origin: mustURL(site.origin),
		Client: &http.Client{}, Log: log, Now: time.Now,
	})
	link, err := prepareDemo(ctx, s.in, news, site.origin)
	if err != nil {
		return errors.Join(err, s.close(), site.close())
	}
	return s.run(ctx, func() { printDemo(e.out, news, s.in.address, link, data, e.store.Data != "") },
		func(ctx context.Context) error { return site.serve(ctx, news, log) })
}

// demoFolder is where the demo keeps its data: the folder asked for, or a new one that is
// removed at the end. A folder that holds an installation that is no demo's is left alone.
func demoFolder(e *env) (dir string, cleanUp func() error, err error) {
	if e.store.Data != "" {
		return e.data(), func() error { return nil }, nil
	}
	dir, err = os.MkdirTemp("", "duyet-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("a temporary folder for the demo: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// listenNext listens on an address, or on the next free port after its own.
func listenNext(ctx context.Context, addr string) (net.Listener, error) {
	host, text, err := net.SplitHostPort(addr)
	port, convErr := strconv.Atoi(text)
	if err != nil || convErr != nil {
		return nil, usagef("--listen must be an address and a port like 127.0.0.1:8080")
	}
	for n := range portsTried {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port+n)))
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("can't listen on %s: choose another address with --listen: %w", addr, err)
		}
	}
	return nil, fmt.Errorf("no port from %d on is free: choose another with --listen", port)
}

// localhost is a listener on both of localhost's addresses, as far as the machine has
// them: browsers try either first.
type localhost struct {
	listeners []net.Listener
	origin    string
}

func listenLocalhost(ctx context.Context, port int) (*localhost, error) {
	for n := range portsTried {
		four, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+n)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("can't listen on port %d: choose another with --site-port: %w", port, err)
		}
		at := four.Addr().(*net.TCPAddr).Port
		l := &localhost{listeners: []net.Listener{four}, origin: "http://localhost:" + strconv.Itoa(at)}
		six, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(at)))
		if errors.Is(err, syscall.EADDRINUSE) {
			if err := four.Close(); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil {
			l.listeners = append(l.listeners, six)
		}
		return l, nil
	}
	return nil, fmt.Errorf("no port from %d on is free: choose another with --site-port", port)
}

func (l *localhost) close() error {
	var errs []error
	for _, one := range l.listeners {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

func (l *localhost) serve(ctx context.Context, h http.Handler, log *slog.Logger) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, one := range l.listeners {
		g.Go(func() error { return httpd.ServePlain(ctx, one, h, log) })
	}
	return g.Wait()
}

// mustURL reads an address that this program has made.
func mustURL(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// prepareDemo makes the newspaper's site, its moderator and its sample comments where
// there are none yet, and a new sign-in link.
func prepareDemo(ctx context.Context, in *installation, news *demo.Site, origin string) (link string, err error) {
	_, err = in.comments.Site(ctx, demo.SiteID)
	switch {
	case errors.Is(err, comments.ErrNotFound):
		if err := fillDemo(ctx, in, news, origin); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	default: // the port may be another than the last time
		if _, err := in.comments.SetSite(ctx, demo.SiteID, []comments.Pair{{Key: "origins", Value: origin}}, comments.ActorOperator); err != nil {
			return "", err
		}
	}
	secret, err := in.moderation.NewLink(ctx, demoModerator)
	if err != nil {
		return "", err
	}
	return signInLink(in.address, secret), nil
}

func fillDemo(ctx context.Context, in *installation, news *demo.Site, origin string) error {
	sites, err := in.comments.Sites(ctx)
	if err != nil {
		return err
	}
	if len(sites) > 0 {
		return fmt.Errorf("%s holds an installation with sites of its own: give the demo another folder with --data, or none", in.data)
	}
	if _, err := in.comments.AddSite(ctx, demo.SiteID, demo.SiteName, []string{origin}, comments.ActorOperator); err != nil {
		return err
	}
	editor, err := in.moderation.AddPerson(ctx, demoModerator, moderation.Owner, nil, "")
	if err != nil {
		return err
	}
	// The samples go through services of their own, under a clock that is set for each.
	var clock atomic.Pointer[time.Time]
	clock.Store(new(time.Time))
	then, err := newInstallation(in.store, in.log, func() time.Time { return *clock.Load() })
	if err != nil {
		return err
	}
	if err := in.store.Audience().FlushAudience(ctx, []audience.Delta{{Site: demo.SiteID, Pages: news.SampleViews()}}); err != nil {
		return err
	}
	return news.Seed(ctx, demo.Newsroom{
		Comments: then.comments, Moderation: then.moderation, Moderator: editor, Solve: then.tickets.solve,
		SetNow: func(t time.Time) { clock.Store(&t) },
	})
}

func printDemo(w io.Writer, news *demo.Site, service, link, data string, kept bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nDuyệt demo\n\n")
	fmt.Fprintf(&b, "  Article     %s\n", news.Featured())
	fmt.Fprintf(&b, "  Desk        %s/moderation/\n", service)
	fmt.Fprintf(&b, "  Sign in     %s\n", link)
	fmt.Fprintf(&b, "              (once, as %s)\n\n", demoModerator)
	if kept {
		fmt.Fprintf(&b, "  Data        %s\n\n", filepath.Clean(data))
	}
	fmt.Fprintf(&b, "Write a comment below the article, approve it at the desk, load the article again.\nCtrl-C ends the demo")
	if !kept {
		fmt.Fprintf(&b, " and removes its data (%s)", data)
	}
	fmt.Fprintf(&b, ".\n\n")
	_, _ = io.WriteString(w, b.String()) // there is nobody else to tell
}
