// Package config is what an installation can be told: flags, their DUYET_* twins in the
// environment, defaults, and what of it makes sense. It opens and starts nothing.
//
// The structs carry the tags of github.com/alecthomas/kong, so that a flag, its twin, its
// default and its help stand in one place.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Store says where an installation keeps its data.
type Store struct {
	Data string `help:"Folder that holds the database, the secret and the control socket. Default: ./data; for demo, a temporary one." type:"path" placeholder:"DIR"`
	DSN  string `name:"store" help:"Keep comments in PostgreSQL instead (postgres://…; several hosts with target_session_attrs=read-write), which other nodes may share. The folder then holds secret and control socket alone; demo never uses it." placeholder:"URL"`
}

// DefaultData is the folder when none is given.
const DefaultData = "data"

// Validate refuses a store of a kind that there is not.
func (s Store) Validate() error {
	if s.DSN != "" && !isPostgres(s.DSN) {
		return errors.New("--store must begin with postgres://: leave it out to keep the comments in DATA/duyet.db")
	}
	return nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// Bytes is a size in bytes, written as 64MiB, 512KiB or a bare number.
type Bytes int64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	s, unit := strings.TrimSpace(string(text)), int64(1)
	for _, u := range []struct {
		suffix string
		size   int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no size like 64MiB", text)
	}
	*b = Bytes(n * unit)
	return nil
}

// Web is how the service is reached, by serve and demo alike.
type Web struct {
	TemplatesDir string `name:"templates" help:"Read pages and assets from this folder again and again: for development." type:"existingdir" placeholder:"DIR"`
	SoundsDir    string `name:"sounds" help:"Recordings of spoken digits to use in place of the built-in ones." type:"existingdir" placeholder:"DIR"`
	CacheSize    Bytes  `help:"Memory for rendered threads. Default: ${default}." default:"64MiB" placeholder:"SIZE"`
	LogFormat    string `help:"How log lines are written: ${enum}." enum:"text,json" default:"text"`
}

// Serve is what the service is started with.
type Serve struct {
	Web
	Listen       string         `help:"Address and port to listen on. Default: ${default}." default:"127.0.0.1:8080" placeholder:"ADDR"`
	BaseURL      *url.URL       `name:"base-url" help:"Address under which the service is reached from outside; it may carry a path (https://news.example/comments/). Default: what each request's Host says." placeholder:"URL"`
	TrustedProxy []netip.Prefix `help:"Network of a reverse proxy whose X-Forwarded-For and Forwarded are believed; repeat for more." placeholder:"CIDR" sep:","`
	ReadStore    string         `name:"read-store" help:"PostgreSQL standby (postgres://…) that answers public reads as long as it is up to date; with --store." placeholder:"URL"`
	StaleFor     time.Duration  `help:"How long threads are served from memory, marked as stale, while the database can't be reached. Default: ${default}." default:"10m" placeholder:"DURATION"`
	DrainDelay   time.Duration  `help:"How long to go on serving after SIGTERM while /readyz says 503, so that a balancer sends no more; at most 3s. Default: ${default}." default:"0s" placeholder:"DURATION"`
	OpsListen    string         `help:"Address for /metrics and profiles; none are served without." placeholder:"ADDR"`
	OutsideAllow []netip.Prefix `name:"outside-allow" help:"Network of your own in which a site's hook may stand, over plain HTTP too; repeat for more. Without it hooks stand at public addresses alone, over HTTPS." placeholder:"CIDR" sep:","`
	Backups      Backups        `embed:"" prefix:"backup-"`
	OIDC         OIDC           `embed:"" prefix:"oidc-"`
}

// Backups is how hot backups rotate.
type Backups struct {
	Every time.Duration `help:"Time between automatic backups; 0 for none. Default: ${default}." default:"24h" placeholder:"DURATION"`
	Keep  int           `help:"Automatic backups to keep. Default: ${default}." default:"7" placeholder:"N"`
	Dir   string        `help:"Folder for automatic backups. Default: DATA/backups." type:"path" placeholder:"DIR"`
}

// OIDC is an identity provider by which moderators may sign in.
type OIDC struct {
	Issuer       string `help:"Address of an OpenID Connect provider by which moderators may sign in; it must know BASE-URL/moderation/login/provider/answer as an address to send people back to." placeholder:"URL"`
	ClientID     string `name:"client-id" help:"What the provider calls this installation." placeholder:"ID"`
	ClientSecret string `name:"client-secret" help:"The secret that the provider has given; better in the environment than on the command line." placeholder:"SECRET"`
	Name         string `help:"What the button calls the provider. Default: its host." placeholder:"NAME"`
}

// Label is what the button calls the provider.
func (o OIDC) Label() string {
	if u, err := url.Parse(o.Issuer); o.Name == "" && err == nil {
		return u.Hostname()
	}
	return o.Name
}

// Validate refuses half of a configuration, naming the flag.
func (o OIDC) Validate() error {
	switch {
	case o == (OIDC{}):
		return nil
	case o.Issuer == "":
		return errors.New("--oidc-client-id, --oidc-client-secret and --oidc-name are of use with --oidc-issuer alone")
	case o.ClientID == "":
		return errors.New("--oidc-issuer needs --oidc-client-id")
	}
	return nil
}

// Folder is where the backups of the installation in data go.
func (b Backups) Folder(data string) string {
	if b.Dir != "" {
		return b.Dir
	}
	return filepath.Join(data, "backups")
}

// ownSegments are the first segments of the service's own paths. A base path that began
// with one could not be told from a request whose base a proxy has stripped already.
var ownSegments = []string{"s", "api", "captcha", "moderation", "static", "healthz", "readyz", "openapi.json", "embed.js", "around.js"}

// drainDelayMost and the time that requests may take then make ten seconds.
const drainDelayMost = 3 * time.Second

// Validate refuses what can't work, naming the flag.
func (s *Serve) Validate() error {
	if err := checkListen("--listen", s.Listen); err != nil {
		return err
	}
	if s.OpsListen != "" {
		if err := checkListen("--ops-listen", s.OpsListen); err != nil {
			return err
		}
	}
	if err := s.checkBase(); err != nil {
		return err
	}
	if s.OIDC.Issuer != "" && s.BaseURL == nil {
		return errors.New("--oidc-issuer needs --base-url, since the provider sends people back to it")
	}
	for _, p := range s.OutsideAllow {
		if p.Bits() == 0 || p.Addr().Is4In6() {
			return errors.New("--outside-allow must be a network of your own like 10.1.2.0/24 or fd12::/48")
		}
	}
	switch {
	case s.ReadStore != "" && !isPostgres(s.ReadStore):
		return errors.New("--read-store must begin with postgres://")
	case s.DrainDelay < 0 || s.DrainDelay > drainDelayMost:
		return errors.New("--drain-delay must be from 0s to 3s: a node ends within ten seconds")
	case s.StaleFor < time.Second:
		return errors.New("--stale-for must be at least 1s")
	case s.Backups.Every < 0 || s.Backups.Every > 0 && s.Backups.Every < time.Second:
		return errors.New("--backup-every must be 0 or at least 1s")
	case s.Backups.Keep < 1:
		return errors.New("--backup-keep must be at least 1")
	}
	return nil
}

func checkListen(flag, addr string) error {
	if _, port, err := net.SplitHostPort(addr); err != nil || !validPort(port) {
		return fmt.Errorf("%s must be an address and a port like 127.0.0.1:8080", flag)
	}
	return nil
}

func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func (s *Serve) checkBase() error {
	u := s.BaseURL
	if u == nil {
		return nil
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Opaque != "" {
		return errors.New("--base-url must be like https://news.example or https://news.example/comments/")
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if slices.Contains(ownSegments, first) {
		return fmt.Errorf("--base-url can't have a path that begins with /%s, which is the service's own", first)
	}
	if strings.Contains(u.Path, "//") || strings.ContainsAny(u.Path, "\\ ") || u.RawPath != "" || strings.Contains(u.Path, "/.") {
		return errors.New("--base-url must have a plain path like /comments/")
	}
	return nil
}

// BasePath is the path that the service's addresses begin with, without a slash at its
// end: "" or "/comments".
func (s *Serve) BasePath() string {
	if s.BaseURL == nil {
		return ""
	}
	return strings.TrimRight(s.BaseURL.Path, "/")
}
