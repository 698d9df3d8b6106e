package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/comments/limit"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/console"
	"duyet/moderation/passkey"
	"duyet/templates"
)

// deskCmd measures what a moderator sees: from the key that decides to the next comment on the
// screen, in a real browser.
type deskCmd struct {
	Comments int    `help:"Comments of the larger of two sites; all are pending." default:"1000000"`
	Small    int    `help:"Comments of the smaller site." default:"1000"`
	Keys     int    `help:"Decisions on each site." default:"200"`
	Browser  string `help:"Chromium." default:"/usr/bin/chromium" type:"existingfile"`
}

func (b deskCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	store, stop, err := queueCmd{}.open(ctx, c, "bbolt")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for site, n := range map[string]int{smallSite: b.Small, largeSite: b.Comments} {
		if err := fillQueue(ctx, store, site, n); err != nil {
			return err
		}
	}
	desk, err := newBenchDesk(ctx, store)
	if err != nil {
		return err
	}
	defer desk.close()
	fmt.Fprintf(out, "From the key that decides to the next comment on the screen, on loopback, in Chromium: %d keys on each site, one after the other,\n", b.Keys)
	fmt.Fprintf(out, "each as soon as the comment before is there; the decisions are stored, durably, behind them.\n\n")
	fmt.Fprintln(out, "| comments pending | median | 95 % |\n|---:|---:|---:|")
	for _, site := range []string{smallSite, largeSite, smallSite, largeSite} {
		before, err := store.Head(ctx, site)
		if err != nil {
			return err
		}
		took, err := b.decide(ctx, desk, site)
		if err != nil {
			return err
		}
		after, err := store.Head(ctx, site)
		if err != nil {
			return err
		}
		if n := before.Counts.Pending - after.Counts.Pending; n != int64(b.Keys) {
			return fmt.Errorf("%d keys have decided on %d comments of %s", b.Keys, n, site)
		}
		slices.Sort(took)
		fmt.Fprintf(out, "| %d | %.0f ms | %.0f ms |\n", before.Counts.Pending, took[len(took)/2], took[len(took)*95/100])
	}
	return nil
}

// decide presses the key that approves, again and again.
func (b deskCmd) decide(ctx context.Context, desk *benchDesk, site string) (took []float64, err error) {
	profile, err := os.MkdirTemp("", "duyet-bench-browser-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(b.Browser), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	tab, cancel := chromedp.NewContext(ctx)
	defer cancel()
	link, err := desk.service.NewLink(ctx, benchModerator)
	if err != nil {
		return nil, err
	}
	err = chromedp.Do(tab, chromedp.EmulateViewport(1440, 900),
		chromedp.Navigate(desk.address+"/moderation/link?"+url.Values{"token": {link}}.Encode()),
		chromedp.Click(chromedp.CSS("form .btn-main")), chromedp.WaitVisible(chromedp.CSS(".rows")),
		chromedp.Navigate(desk.address+"/moderation/?"+url.Values{"site": {site}}.Encode()), chromedp.WaitVisible(chromedp.CSS("#decide")))
	if err != nil {
		return nil, err
	}
	for n := range b.Keys {
		if err := chromedp.Do(tab, chromedp.KeyEvent("a")); err != nil {
			return nil, err
		}
		// The page measures by itself; here it is only waited for.
		shown := fmt.Sprintf(`new Promise((done) => { const look = () => performance.getEntriesByName("desk:decision").length > %d ? done(true) : requestAnimationFrame(look); look(); })`, n)
		if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](shown, chromedp.EvalAwaitPromise)); err != nil {
			return nil, err
		}
	}
	// What was decided is on its way behind the screen: none of it may be lost with the browser.
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](`window.duyetDesk.outbox.empty().then(() => true)`, chromedp.EvalAwaitPromise)); err != nil {
		return nil, err
	}
	return chromedp.Run(tab, chromedp.Evaluate[[]float64](`performance.getEntriesByName("desk:decision").map((one) => one.duration)`))
}

const benchModerator = "lan@news.example"

// benchDesk is the moderators' door on a store, without the rest of the service.
type benchDesk struct {
	service *moderation.Service
	address string
	server  *http.Server
}

func newBenchDesk(ctx context.Context, store comments.Store) (*benchDesk, error) {
	db, ok := store.(*boltstore.DB)
	if !ok {
		return nil, errors.New("the desk's bench is made for the embedded file")
	}
	kept, err := modstore.New(ctx, db)
	if err != nil {
		return nil, err
	}
	throttle, err := limit.NewSignIn(1000, time.Now)
	if err != nil {
		return nil, err
	}
	sites := comments.NewService(comments.Config{Store: db, Now: time.Now})
	service := moderation.NewService(moderation.Config{
		Store: kept, Comments: sites, Sites: db, Pages: db, Mover: sites, Desk: sites, Journal: db, Throttle: throttle, Now: time.Now,
		Key: benchKey, Passkeys: passkey.Ceremonies{},
	})
	db.Observe(service.Observe)
	if _, err := service.AddPerson(ctx, benchModerator, moderation.Owner, nil, ""); err != nil {
		return nil, err
	}
	set, err := templates.New(templates.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	templates.UseProblems(set)
	router := mux.NewRouter()
	config := huma.DefaultConfig("bench", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	door, err := console.New(console.Config{
		Service: service, Sessions: kept, Templates: set, API: humamux.New(router, config), Now: time.Now,
		ClientIP: func(*http.Request) netip.Addr { return netip.IPv6Loopback() },
	})
	if err != nil {
		return nil, err
	}
	door.Routes(router)
	db.Observe(door.Observe)
	router.PathPrefix("/static/").Handler(http.StripPrefix("/static/", set.Static()))
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &benchDesk{service, "http://" + l.Addr().String(), &http.Server{Handler: door.Zone(router), ReadHeaderTimeout: time.Second}}
	d.server.RegisterOnShutdown(door.EndLive)
	go func() { _ = d.server.Serve(l) }()
	return d, nil
}

func (d *benchDesk) close() { _ = d.server.Close() }
