package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestNode(t *testing.T) {
	m := New("test")
	m.WatchNode(Node{
		Behind:  func() time.Duration { return 1500 * time.Millisecond },
		Replica: func() (int64, int64, int64) { return 7, 2, 1 },
	})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"duyet_node_behind_seconds 1.5",
		`duyet_standby_reads_total{outcome="standby"} 7`,
		`duyet_standby_reads_total{outcome="lagged"} 2`,
		`duyet_standby_reads_total{outcome="failed"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}
