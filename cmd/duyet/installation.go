package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/captcha"
	"duyet/comments/limit"
	"duyet/comments/receipt"
	"duyet/comments/work"
	"duyet/moderation"
	"duyet/moderation/alarm"
	"duyet/moderation/passkey"
)

// installation is an open store with the services of both wings on it: what every command
// works on, whether it opened it or runs beside a server.
type installation struct {
	screening
	store      *storage.Storage
	comments   *comments.Service
	moderation *moderation.Service
	alarm      *alarm.Alarm
	tickets    *tickets
	receipts   *receipt.Sealer
	log        *slog.Logger
	data       string // folder, absolute
	address    string // under which the service is reached, without a slash at its end
	ownSecret  bool   // in a file of the data folder, not from the environment
	now        func() time.Time
}

// options say how to open an installation.
type options struct {
	data     string
	readDSN  string // of a standby for public reads, or ""
	dsn      string // of PostgreSQL, or "" for the file in data
	secret   string // DUYET_SECRET, or "" for the file
	holder   string // as whom to hold the lock
	wait     time.Duration
	log      *slog.Logger // nil = silent
	onCommit func(operations int, took time.Duration)
}

// defaultAddress is where a service is looked for that nobody told about.
const defaultAddress = "http://127.0.0.1:8080"

// openInstallation opens the store, or makes it in a folder that never had one, and starts
// the services on it.
func openInstallation(ctx context.Context, o options) (*installation, error) {
	store, err := storage.Open(ctx, storage.Options{
		Dir: o.data, DSN: o.dsn, ReadDSN: o.readDSN, Secret: o.secret, Wait: o.wait, Command: o.holder, OnCommit: o.onCommit, Logger: o.log,
	})
	if err != nil {
		return nil, err
	}
	in, err := newInstallation(store, o.log, time.Now)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	in.data, in.ownSecret = o.data, o.secret == ""
	return in, nil
}

// newInstallation starts the services on a store, by a clock.
func newInstallation(store *storage.Storage, log *slog.Logger, now func() time.Time) (*installation, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	in := &installation{store: store, tickets: new(tickets), address: defaultAddress, log: log, now: now}
	if err := in.tickets.use(store.Secret()); err != nil {
		return nil, err
	}
	var err error
	// A receipt has no end, so it must outlive every change of the secret.
	if in.receipts, err = receipt.New([][]byte{store.Secret().Lasting("receipts")}); err != nil {
		return nil, err
	}
	limiter, err := limit.New(limit.DefaultRules(), limit.NetworksMost, now)
	if err != nil {
		return nil, err
	}
	throttle, err := limit.NewSignIn(limit.NetworksMost, now)
	if err != nil {
		return nil, err
	}
	in.alarm = alarm.New(alarm.Config{Documents: store.Moderation(), Sites: store.Comments(), Counter: store.Arrivals(), Now: now})
	store.Comments().Observe(in.alarm.Observe)
	screener, err := in.screener()
	if err != nil {
		return nil, err
	}
	in.comments = comments.NewService(comments.Config{
		Store: store.Comments(), Tickets: in.tickets, Judge: store.Judge(captcha.NewJudge(captcha.DeadMost, now)), Limiter: store.Limiter(limiter),
		Alarm:    in.alarm,
		Works:    work.New(in.workKeys, store.Works(work.NewMemory(work.LedgerMost, now))),
		Receipts: in.receipts, Codes: in.receipts, Screener: screener, Now: now,
	})
	in.moderation = moderation.NewService(moderation.Config{
		Store: store.Moderation(), Comments: in.comments, Sites: store.Comments(), Pages: store.Comments(), Mover: in.comments, Desk: in.comments,
		Journal: store.Comments(), Throttle: store.Throttle(throttle), Now: now,
		Key: store.Secret().Lasting("moderators"), Passkeys: passkey.Ceremonies{},
	})
	store.Comments().Observe(in.moderation.Observe)
	return in, nil
}

// workKeys are the secret's for proofs of work, which a rotation changes.
func (in *installation) workKeys() [][]byte { return in.store.Secret().Keys("work") }

func (in *installation) close() error { return in.store.Close() }

// tickets seals and opens codes with the secret's keys, which a rotation changes while the
// service runs. It implements comments.Tickets.
type tickets struct {
	sealer atomic.Pointer[captcha.Sealer]
}

func (t *tickets) use(s storage.Secret) error {
	sealer, err := captcha.New(s.Keys("tickets"))
	if err == nil {
		t.sealer.Store(sealer)
	}
	return err
}

func (t *tickets) Issue(site, page string, now time.Time, ttl time.Duration) (string, comments.Ticket, error) {
	return t.sealer.Load().Issue(site, page, now, ttl)
}

func (t *tickets) Open(text string) (comments.Ticket, error) { return t.sealer.Load().Open(text) }

// solve is the digits of a ticket, as they are typed.
func (t *tickets) solve(text string) (string, error) {
	ticket, err := t.Open(text)
	if err != nil {
		return "", err
	}
	return captcha.Text(ticket), nil
}

// signInLink is the address of a one-time sign-in.
func signInLink(base, secret string) string {
	return base + "/moderation/link?token=" + url.QueryEscape(secret)
}

// baseAddress is how the service is reached: as configured, or where it listens.
func baseAddress(configured *url.URL, listening netip.AddrPort) string {
	if configured != nil {
		return strings.TrimRight(configured.String(), "/")
	}
	if listening.Addr().IsUnspecified() {
		listening = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), listening.Port())
	}
	return "http://" + listening.String()
}
