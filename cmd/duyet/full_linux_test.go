package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"duyet/cmd/internal/storage"
)

// limitFiles lets a process write files up to a size.
func limitFiles(t *testing.T, p *program, most uint64) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(p.process.Process.Pid, unix.RLIMIT_FSIZE, nil, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(p.process.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: old.Max}, nil); err != nil {
		t.Fatal(err)
	}
}

// When the database can't grow, posting answers 503 and when to come back, reading goes
// on, and posting works again once there is room.
func TestNoRoomLeft(t *testing.T) {
	p, _ := newProgram(t)
	first, err := p.post(t.Context(), "trước khi đầy")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(p.data, storage.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	limitFiles(t, p, uint64(info.Size()))
	letter := strings.Repeat("Một lá thư dài. ", 250)
	let := []string{first}
	var refused error
	for range 200 { // what is free in the file fills first
		id, err := p.post(t.Context(), letter)
		if err != nil {
			refused = err
			break
		}
		let = append(let, id)
	}
	if refused == nil || !strings.Contains(refused.Error(), strconv.Itoa(http.StatusServiceUnavailable)) {
		t.Fatalf("%d letters went into a full file, then: %v", len(let), refused)
	}
	if after := p.retryAfter(t, letter); after == "" {
		t.Error("nobody says when to come back")
	}
	for _, path := range []string{"/api/v1/sites/" + testSite + "/thread?page=" + testPage, "/readyz", "/s/" + testSite + "/thread?page=" + testPage} {
		if status, err := p.call(t.Context(), "GET", path, "", nil, nil); status != http.StatusOK || err != nil {
			t.Errorf("%s while full: %d, %v", path, status, err)
		}
	}
	limitFiles(t, p, unix.RLIM_INFINITY)
	again, err := p.post(t.Context(), letter)
	if err != nil {
		t.Fatalf("with room again: %v: %s", err, p.logs())
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	p.sound(append(let, again))
}

// retryAfter posts once more and returns the header.
func (p *program) retryAfter(t *testing.T, content string) string {
	t.Helper()
	var code struct{ Ticket string }
	if _, err := p.call(t.Context(), "POST", "/api/v1/sites/"+testSite+"/captcha", "", map[string]string{"page": testPage}, &code); err != nil {
		t.Fatal(err)
	}
	digits, err := p.solver.solve(code.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"page": testPage, "name": "a", "title": "b", "content": content, "ticket": code.Ticket, "code": digits})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.client.Post(p.address+"/api/v1/sites/"+testSite+"/comments", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a full file answers %d", resp.StatusCode)
	}
	return resp.Header.Get("Retry-After")
}
