package httpd

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	clientIP, err := ClientIP(trusted)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, peer       string
		xff, fwd         []string
		want, wantDirect string
	}{
		{"no proxy", "203.0.113.9:1234", nil, nil, "203.0.113.9", ""},
		{"a liar", "203.0.113.9:1234", []string{"198.51.100.1"}, []string{"for=198.51.100.1"}, "203.0.113.9", ""},
		{"one proxy", "10.0.0.1:1", []string{"198.51.100.1"}, nil, "198.51.100.1", "10.0.0.1"},
		{"right to left", "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1, 10.0.0.7"}, nil, "198.51.100.1", "10.0.0.1"},
		{"several headers", "10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1", "10.0.0.7"}, nil, "198.51.100.1", "10.0.0.1"},
		{"garbage before", "10.0.0.1:1", []string{"<script>, 198.51.100.1"}, nil, "198.51.100.1", "10.0.0.1"},
		{"garbage after", "10.0.0.1:1", []string{"198.51.100.1, unknown"}, nil, "10.0.0.1", "10.0.0.1"},
		{"nothing but proxies", "10.0.0.1:1", []string{"10.0.0.2"}, nil, "10.0.0.1", "10.0.0.1"},
		{"IPv6 in brackets", "[fd00::1]:1", []string{"[2001:db8::5]:443"}, nil, "2001:db8::5", "fd00::1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.1"}, nil, "198.51.100.1", "10.0.0.1"},
		{"Forwarded", "10.0.0.1:1", nil, []string{`for=1.1.1.1, for="[2001:db8::5]:443";proto=https`}, "2001:db8::5", "10.0.0.1"},
		{"both alike", "10.0.0.1:1", []string{"198.51.100.1"}, []string{"for=198.51.100.1"}, "198.51.100.1", "10.0.0.1"},
		{"both, one invented", "10.0.0.1:1", []string{"198.51.100.1"}, []string{"for=1.2.3.4"}, "10.0.0.1", "10.0.0.1"},
		{"with a zone", "[fe80::1%eth0]:1", nil, nil, "fe80::1", ""},
		{"no address", "@", []string{"198.51.100.1"}, nil, "invalid IP", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"], r.Header["Forwarded"] = c.xff, c.fwd
		if got := clientIP(r).String(); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
		if c.wantDirect == "" {
			c.wantDirect = c.want
		}
		direct, err := ClientIP(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := direct(r).String(); got != c.wantDirect {
			t.Errorf("%s, trusting nobody: %s, not %s", c.name, got, c.wantDirect)
		}
	}
}

func FuzzClientIP(f *testing.F) {
	clientIP, err := ClientIP([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("1.1.1.1, [::1]:x", `for="[2001:db8::5`)
	f.Add(",,,", "for=;;for==")
	f.Fuzz(func(t *testing.T, xff, fwd string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:80"
		r.Header["X-Forwarded-For"], r.Header["Forwarded"] = []string{xff}, []string{fwd}
		if addr := clientIP(r); !addr.IsValid() || addr.Zone() != "" || addr.Is4In6() {
			t.Fatalf("%q and %q make %q", xff, fwd, addr)
		}
	})
}
