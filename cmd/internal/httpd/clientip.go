package httpd

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"github.com/realclientip/realclientip-go"
)

// ClientIP tells whom a request comes from: the peer's address or, when the peer is in one
// of the trusted networks, the nearest address before it that isn't, as X-Forwarded-For
// (or, where there is none, Forwarded, RFC 7239) names it. Headers from anybody else, and
// what in them is no address, count for nothing. If both headers are there and differ,
// one is a client's own invention, and the peer's address stands.
//
// The address is without zone, IPv4 never in its IPv6 form; it is the zero Addr when even
// the peer is unknown, as on a socket without addresses.
func ClientIP(trusted []netip.Prefix) (func(*http.Request) netip.Addr, error) {
	if len(trusted) == 0 {
		return peer, nil
	}
	ranges := make([]net.IPNet, len(trusted))
	for i, p := range trusted {
		p = p.Masked()
		ranges[i] = net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	forwardedFor, err := realclientip.NewRightmostTrustedRangeStrategy("X-Forwarded-For", ranges)
	if err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	forwarded, err := realclientip.NewRightmostTrustedRangeStrategy("Forwarded", ranges)
	if err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	return func(r *http.Request) netip.Addr {
		addr := peer(r)
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			return addr
		}
		one, first := parseAddr(forwardedFor.ClientIP(r.Header, ""))
		two, second := parseAddr(forwarded.ClientIP(r.Header, ""))
		switch {
		case first && second && one != two:
			return addr
		case first:
			return one
		case second:
			return two
		}
		return addr
	}, nil
}

func peer(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	addr, _ := parseAddr(r.RemoteAddr)
	return addr
}

func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}
