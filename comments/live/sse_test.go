package live_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/live"
)

func serve(h *live.Hub) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := h.Subscribe(r.Context(), "a", r.FormValue("page"), here, live.After(r))
		if err != nil {
			live.Refuse(w)
			return
		}
		live.Serve(w, r, l)
	})
}

// stream reads server-sent events, without comments.
type stream struct {
	t    *testing.T
	body *bufio.Reader
}

func open(t *testing.T, url, lastEventID string) stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		t.Fatalf("Content-Type %q", ct)
	}
	return stream{t, bufio.NewReader(resp.Body)}
}

func (s stream) event() string {
	s.t.Helper()
	for {
		var lines []string
		for {
			line, err := s.body.ReadString('\n')
			if err != nil {
				return "end"
			}
			if line = strings.TrimSuffix(line, "\n"); line == "" {
				break
			}
			lines = append(lines, line)
		}
		if e := strings.Join(lines, " "); !strings.HasPrefix(e, ":") && !strings.HasPrefix(e, "retry") {
			return e
		}
	}
}

func TestEventsOnTheWire(t *testing.T) {
	h := newHub(t, live.Config{PerNetwork: 2, Heartbeat: 50 * time.Millisecond})
	h.Observe(commit(4, "x", comments.Pending, comments.Approved))
	srv := httptest.NewServer(serve(h))
	defer srv.Close()
	a := open(t, srv.URL+"?page=x&after=3", "")
	if e := a.event(); e != `id: 4 event: news data: {"added":1,"removed":0}` {
		t.Error(e)
	}
	h.Observe(commit(5, "x", comments.Approved, comments.Trashed))
	if e := a.event(); e != `id: 5 event: news data: {"added":0,"removed":1}` {
		t.Error(e)
	}
	back := open(t, srv.URL+"?page=x&after=3", "1") // the header wins
	if e := back.event(); e != `id: 5 event: stale data: {}` {
		t.Error(e)
	}
	if e := open(t, srv.URL+"?page=x", "").event(); e != `event: poll data: {}` {
		t.Error(e)
	}
	h.Close()
	if e := a.event(); e != "end" {
		t.Error("after the hub closed:", e)
	}
}

func TestShutdownEndsStreamsAtOnce(t *testing.T) {
	h := newHub(t, live.Config{})
	srv := httptest.NewServer(serve(h))
	srv.Config.RegisterOnShutdown(h.Close)
	for range 20 {
		open(t, srv.URL+"?page=x", "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	srv.Close()
}

// A server's limits on reading and writing are for answers that end: a stream outlives them.
func TestStreamsOutliveTheServersLimits(t *testing.T) {
	h := newHub(t, live.Config{Heartbeat: 50 * time.Millisecond})
	srv := httptest.NewUnstartedServer(serve(h))
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	srv.Start()
	defer srv.Close()
	resp, err := http.Get(srv.URL + "?page=x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for beats := 0; beats < 10; {
		if !lines.Scan() {
			t.Fatalf("it ended after %d heartbeats: %v", beats, lines.Err())
		}
		if lines.Text() == ":" {
			beats++
		}
	}
}
