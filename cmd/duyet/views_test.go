package main

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestACrashLosesASecondOfViewsAtMost kills the program while views come in. What came
// before the last second is there when it is back.
func TestACrashLosesASecondOfViewsAtMost(t *testing.T) {
	p, _ := newProgram(t)
	view := func() {
		status, err := p.call(t.Context(), "POST", "/api/v1/sites/"+testSite+"/views", "", map[string]string{"page": testPage}, nil)
		if err != nil || status != http.StatusOK {
			t.Fatalf("view: %d, %v", status, err)
		}
	}
	const safe = 40
	for range safe {
		view()
	}
	all := int64(safe)
	// A second of waiting, and some for a slow machine's commit.
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); all++ {
		view()
	}
	if err := p.end(syscall.SIGKILL); err == nil {
		t.Fatal("it was not killed")
	}
	p.start()
	var counts struct {
		PageViews int64 `json:"page_views"`
		Today     int64
	}
	if _, err := p.call(t.Context(), "GET", "/api/v1/sites/"+testSite+"/audience?page="+testPage, "", nil, &counts); err != nil {
		t.Fatal(err)
	}
	if counts.PageViews < safe || counts.PageViews > all || counts.Today != 1 {
		t.Errorf("of %d views, %d of them old, there are %+v", all, safe, counts)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.sound(nil)
}
