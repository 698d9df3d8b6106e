package metrics

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestScrape(t *testing.T) {
	m := New("v1")
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var broken error
	m.Watch(Sources{
		Queues: func(context.Context) ([]Queue, error) {
			return []Queue{{Site: "a", Pending: 3, Oldest: now.Add(-time.Minute)}, {Site: "b"}}, broken
		},
		Attacks: func() map[string]int { return map[string]int{"a": 2} },
		Size:    func() (int64, error) { return 4096, broken },
		Now:     func() time.Time { return now },
	})
	thread := m.Route("GET /s/{site}/thread")
	thread(200, time.Millisecond)
	thread(304, time.Millisecond)
	thread(200, time.Millisecond)
	m.Submission("pending")
	m.Captcha("issued")
	m.Commit(3*time.Millisecond, 16)
	m.BackedUp(now)
	text := scrape(t, m)
	for _, line := range []string{
		`duyet_requests_total{route="GET /s/{site}/thread",status="2xx"} 2`,
		`duyet_requests_total{route="GET /s/{site}/thread",status="3xx"} 1`,
		`duyet_submissions_total{outcome="pending"} 1`,
		`duyet_captchas_total{event="issued"} 1`,
		`duyet_store_commit_operations_sum 16`,
		`duyet_queue_length{site="a"} 3`,
		`duyet_queue_oldest_seconds{site="a"} 60`,
		`duyet_queue_oldest_seconds{site="b"} 0`,
		`duyet_attack_mode{site="a"} 2`,
		`duyet_store_bytes 4096`,
		`duyet_build_info{version="v1"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	broken = errors.New("broken")
	if text := scrape(t, m); strings.Contains(text, "duyet_queue") || !strings.Contains(text, "duyet_submissions_total") {
		t.Error("a broken source spoils the scrape or still tells")
	}
}

func TestCountingARequestAllocatesNothing(t *testing.T) {
	count := New("v1").Route("GET /x")
	if n := testing.AllocsPerRun(100, func() { count(200, time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
