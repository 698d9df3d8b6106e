package outside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	"github.com/sony/gobreaker/v2"

	"duyet/moderation/screen"
)

// Trouble is why a service could not be asked, or gave no answer of use.
type Trouble string

// Troubles, each with its words "elsewhere.trouble.{trouble}".
const (
	TroubleAddress  Trouble = "address"  // leads to where the service mustn't reach
	TroubleTime     Trouble = "time"     // no answer in time
	TroubleConnect  Trouble = "connect"  // not found, or nobody there
	TroubleTLS      Trouble = "tls"      // its certificate is no good
	TroubleRedirect Trouble = "redirect" // sends elsewhere, which is not followed
	TroubleStatus   Trouble = "status"   // an HTTP status that is no success
	TroubleSize     Trouble = "size"     // says more than it may
	TroubleAnswer   Trouble = "answer"   // says what was not agreed on
	TroubleKey      Trouble = "key"      // doesn't take the key
	TroubleResting  Trouble = "resting"  // failed too often, and isn't asked for a while
	TroubleSettings Trouble = "settings" // there is no key, or it can't be read
)

// Troubles are all.
var Troubles = [...]Trouble{
	TroubleAddress, TroubleTime, TroubleConnect, TroubleTLS, TroubleRedirect, TroubleStatus, TroubleSize, TroubleAnswer,
	TroubleKey, TroubleResting, TroubleSettings,
}

// troubleError says what was the trouble; never an address, a key or what was sent.
type troubleError struct {
	trouble Trouble
	status  int
}

func (e *troubleError) Error() string {
	if e.status != 0 {
		return fmt.Sprintf("outside: %s %d", e.trouble, e.status)
	}
	return "outside: " + string(e.trouble)
}

// TroubleOf is what an error says was the trouble, and the HTTP status where it was one.
func TroubleOf(err error) (Trouble, int) {
	var t *troubleError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &t):
		return t.trouble, t.status
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return TroubleResting, 0
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return TroubleAddress, 0
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &verify):
		return TroubleTLS, 0
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TroubleTime, 0
	}
	return TroubleConnect, 0
}

// Limits of what a service may say.
const (
	answerMost  = 16 << 10
	headersMost = 16 << 10
	atOnceMost  = 16 // connections to one host
)

// metadata are addresses of clouds' own services that are no private ones by their number.
var metadata = []netip.Prefix{netip.MustParsePrefix("168.63.129.16/32")}

// line reaches services: over TLS at public addresses and at those the operator allows, over
// plain HTTP at the latter alone. What a name leads to is looked at once it is resolved, when
// the connection is made, so that no second answer of a name server can lead elsewhere.
type line struct {
	allowed       []netip.Prefix
	guard         *ssrf.Guardian
	secure, plain *http.Client
}

func newLine(cfg Config, allowed []netip.Prefix) line {
	l := line{allowed: allowed}
	var v4, v6 []netip.Prefix
	for _, p := range allowed {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	l.guard = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...), ssrf.WithDeniedV4Prefixes(metadata...))
	l.secure, l.plain = newClient(cfg, l.guard.Safe), newClient(cfg, l.house)
	return l
}

// house is for a connection in the operator's own networks.
func (l line) house(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ssrf.ErrInvalidHostPort
	}
	if !l.allows(at.Addr()) {
		return ssrf.ErrProhibitedIP
	}
	return nil
}

func (l line) allows(ip netip.Addr) bool {
	return slices.ContainsFunc(l.allowed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func newClient(cfg Config, control func(network, address string, _ syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: screen.ElsewhereWithin, Control: control, Resolver: cfg.Resolver}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: headersMost, MaxConnsPerHost: atOnceMost, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: screen.ElsewhereWithin,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Jar:           nil,
	}
}

// of is the client for an address.
func (l line) of(u *url.URL) *http.Client {
	if u.Scheme == "http" {
		return l.plain
	}
	return l.secure
}

// answer is what a service said.
type answer struct {
	header http.Header
	body   []byte
}

// send sends a request and reads the whole answer within a time. Its error names no address.
func (l line) send(r *http.Request, within time.Duration) (answer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	r.Header.Set("User-Agent", "Duyet")
	resp, err := l.of(r.URL).Do(r.WithContext(ctx))
	if err != nil {
		return answer{}, bare(r.Context(), err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return answer{}, &troubleError{TroubleRedirect, resp.StatusCode}
	case resp.StatusCode != http.StatusOK:
		return answer{}, &troubleError{TroubleStatus, resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerMost+1))
	if err == nil {
		err = ctx.Err() // a service may end its answer as it sees the connection go
	}
	if err != nil {
		return answer{}, bare(r.Context(), err)
	}
	if len(body) > answerMost {
		return answer{}, &troubleError{TroubleSize, 0}
	}
	return answer{resp.Header, body}, nil
}

// bare is an error as a trouble. That the asker has gone stays what it is: it says nothing of
// the service.
func bare(asker context.Context, err error) error {
	if errors.Is(asker.Err(), context.Canceled) {
		return context.Canceled
	}
	trouble, status := TroubleOf(err)
	return &troubleError{trouble, status}
}

// breaker lets a service that fails rest, so that not every submission waits for it.
type breaker = gobreaker.CircuitBreaker[answer]

func (o *Outside) newBreaker(site, check string) *breaker {
	return gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Name: site + " " + check, Timeout: o.cfg.RestFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresInRow },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			o.cfg.Log.Warn("a service elsewhere", "site", site, "check", check, "was", from.String(), "is", to.String())
		},
	})
}
