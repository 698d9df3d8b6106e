package config

import (
	"net/url"
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for in, want := range map[string]Bytes{"64MiB": 64 << 20, "512 KiB": 512 << 10, "1GB": 1e9, "7": 7, "0": 0} {
		var b Bytes
		if err := b.UnmarshalText([]byte(in)); err != nil || b != want {
			t.Errorf("%q: %d, %v; not %d", in, b, err, want)
		}
	}
	for _, in := range []string{"", "MiB", "-1", "1.5GiB", "9999999999GiB", "x"} {
		if err := new(Bytes).UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

func TestServeValidate(t *testing.T) {
	for _, c := range []struct {
		listen, base, path string
		ok                 bool
	}{
		{"127.0.0.1:8080", "", "", true},
		{":0", "https://news.example", "", true},
		{"[::1]:80", "https://news.example/comments/", "/comments", true},
		{"[::1]:80", "https://news.example/a/b", "/a/b", true},
		{"127.0.0.1", "", "", false},
		{"127.0.0.1:x", "", "", false},
		{":80", "news.example", "", false},
		{":80", "ftp://news.example", "", false},
		{":80", "https://news.example/?a", "", false},
		{":80", "https://news.example/api/", "", false},
		{":80", "https://news.example/moderation", "", false},
		{":80", "https://news.example/a//b", "", false},
		{":80", "https://news.example/../b", "", false},
	} {
		s := Serve{Listen: c.listen, StaleFor: time.Minute, Backups: Backups{Every: time.Hour, Keep: 1}}
		if c.base != "" {
			u, err := url.Parse(c.base)
			if err != nil {
				t.Fatal(err)
			}
			s.BaseURL = u
		}
		if err := s.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		} else if err == nil && s.BasePath() != c.path {
			t.Errorf("%+v: base path %q", c, s.BasePath())
		}
	}
}

func TestReadStore(t *testing.T) {
	s := Serve{Listen: ":80", StaleFor: time.Minute, Backups: Backups{Keep: 1}, ReadStore: "postgres://standby/x"}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	s.ReadStore = "mysql://standby"
	if s.Validate() == nil {
		t.Error("any address is a standby's")
	}
	s.ReadStore, s.StaleFor = "", 0
	if s.Validate() == nil {
		t.Error("served from memory for no time at all")
	}
}

func TestStore(t *testing.T) {
	for _, dsn := range []string{"", "postgres://x/y", "postgresql://a,b/y?target_session_attrs=read-write"} {
		if err := (Store{Data: "d", DSN: dsn}).Validate(); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	if err := (Store{Data: "d", DSN: "mysql://x"}).Validate(); err == nil {
		t.Error("mysql is taken")
	}
	if got := (Backups{}).Folder("d"); got != "d/backups" {
		t.Error(got)
	}
}
