package outside_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"duyet/moderation/outside"
)

var quiet = log.New(io.Discard, "", 0)

func cancelled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// TestAddressesThatMustNotBeReached are refused as they are typed.
func TestAddressesThatMustNotBeReached(t *testing.T) {
	h := newHouse(t)
	h.out.Allow(nil)
	for _, host := range []string{
		"127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "192.0.0.192", "198.18.0.1", "168.63.129.16", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[fec0::1]", "[100::1]",
		"[2001:db8::1]",
	} {
		for url, want := range map[string]string{"https://" + host + "/": "url no_address", "http://" + host + "/": "url no_https"} {
			change := outside.HookChange{On: true, URL: url, Secret: secret, Within: time.Second}
			if got := wrong(h.out.SetHook(t.Context(), boss, "bao", change)); got != want {
				t.Errorf("%s: %s", url, got)
			}
		}
	}
	for _, url := range []string{"https://203.0.114.9/", "https://[2a00:1450::1]/", "https://hooks.example:8443/a?b=c"} {
		v, err := h.out.Settings(t.Context(), owner, "khac")
		h.must(err)
		h.must(h.out.SetHook(t.Context(), owner, "khac", outside.HookChange{URL: url, Within: time.Second, Version: v.Hook.Version}))
	}
}

// TestNamesThatLeadInside are refused once it is known where they lead, whatever they led to
// before.
func TestNamesThatLeadInside(t *testing.T) {
	s, roots := service(t, func(http.ResponseWriter, *http.Request) { t.Error("reached") })
	s.Config.ErrorLog = quiet
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	h := newHouse(t, roots, func(c *outside.Config) { c.Resolver = names(t) })
	h.out.Allow(nil)
	for _, name := range []string{"localhost", "inside.test", "metadata.test"} {
		h.hook("https://" + name + ":" + port)
		h.says(candidate(), "hook.not_checked.hold")
		tried, err := h.out.TryHook(t.Context(), boss, "bao", "vi")
		if err != nil || tried.Trouble != outside.TroubleAddress {
			t.Errorf("%s: %+v, %v", name, tried, err)
		}
	}
}

// names is a name server that knows inside.test as 127.0.0.1, and everything else as the
// address of clouds' own services.
func names(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			if q.Type == dnsmessage.TypeA {
				a := [4]byte{169, 254, 169, 254}
				if q.Name.String() == "inside.test." {
					a = [4]byte{127, 0, 0, 1}
				}
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}, Body: &dnsmessage.AResource{A: a},
				}}
			}
			packed, err := m.Pack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.WriteTo(packed, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestPlainHTTP is for networks that the operator allows, and no proxy of the environment is
// asked.
func TestPlainHTTP(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"verdict":"hold"}`) }))
	defer s.Close()
	h := newHouse(t)
	h.hook(s.URL)
	h.says(candidate(), "hook.hold.hold")
	h.hook(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	h.says(candidate(), "hook.hold.hold")
	again := h.outside() // as after a restart without the flag
	h.out = again
	h.says(candidate(), "hook.not_checked.hold")
	again.Allow(loopback[1:])
	h.says(candidate(), "hook.not_checked.hold")
}
