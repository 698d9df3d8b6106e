package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"duyet/cmd/internal/storage"
)

func TestACommentsWay(t *testing.T) {
	p, token := newProgram(t)
	ctx := t.Context()
	id, err := p.post(ctx, "Bài viết rất hữu ích.")
	if err != nil {
		t.Fatal(err)
	}
	thread := func() (list struct {
		Comments []struct{ ID, Text string }
	}) {
		t.Helper()
		if status, err := p.call(ctx, "GET", "/api/v1/sites/"+testSite+"/thread?page="+testPage, "", nil, &list); status != 200 || err != nil {
			t.Fatal(status, err)
		}
		return list
	}
	if got := thread(); len(got.Comments) != 0 {
		t.Errorf("seen before it was approved: %v", got)
	}
	var decided struct {
		Results []struct{ Status string }
	}
	decision := map[string]any{"decisions": []map[string]string{{"id": id, "action": "approve"}}}
	if status, err := p.call(ctx, "POST", "/api/v1/moderation/decisions", token, decision, &decided); status != 200 || err != nil || decided.Results[0].Status != "approved" {
		t.Fatal(status, err, decided)
	}
	if got := thread(); len(got.Comments) != 1 || got.Comments[0].ID != id || got.Comments[0].Text != "Bài viết rất hữu ích." {
		t.Errorf("the thread is %v", got)
	}
	// A change by the command line beside it counts at once.
	must(t, "site", "remove", testSite, "--force", "--data", p.data)
	if status, err := p.call(ctx, "GET", "/api/v1/sites/"+testSite+"/thread?page="+testPage, "", nil, nil); status != 404 || err != nil {
		t.Error(status, err)
	}
	for _, secret := range []string{"Nguyễn", "127.0.0.1:" /* a peer */, testPage} {
		for line := range strings.Lines(p.logs()) {
			if strings.Contains(line, secret) && !strings.Contains(line, "msg=ready") {
				t.Errorf("the log tells %q: %s", secret, line)
			}
		}
	}
}

// load posts from several readers at once until ctx ends, and hands each id that was
// answered with 201 to accepted.
func load(ctx context.Context, p *program, readers int, accepted func(id string)) (wait func()) {
	var all sync.WaitGroup
	for r := range readers {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if id, err := p.post(ctx, fmt.Sprintf("người đọc %d, thư %d", r, n)); err == nil {
					accepted(id)
				}
			}
		})
	}
	return all.Wait
}

// ids collects what was let in, and tells when there are enough.
type ids struct {
	mu     sync.Mutex
	all    []string
	target int
	enough chan struct{}
}

func (i *ids) add(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, id)
	if len(i.all) == i.target {
		close(i.enough)
	}
}

func (i *ids) more(n int) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.target, i.enough = len(i.all)+n, make(chan struct{})
	return i.enough
}

func TestTermUnderLoadLosesNothing(t *testing.T) {
	p, _ := newProgram(t)
	var in ids
	enough := in.more(100)
	ctx, cancel := context.WithCancel(t.Context())
	wait := load(ctx, p, 8, in.add)
	<-enough
	began := time.Now()
	err := p.end(syscall.SIGTERM)
	cancel()
	wait()
	if err != nil {
		t.Errorf("SIGTERM ended it with %v: %s", err, p.logs())
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s to end", took)
	}
	p.sound(in.all)
}

func TestTwelveKillsUnderLoadLoseNothing(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 2
	}
	p, _ := newProgram(t)
	var in ids
	for range kills {
		enough := in.more(25)
		ctx, cancel := context.WithCancel(t.Context())
		wait := load(ctx, p, 8, in.add)
		<-enough
		if err := p.end(syscall.SIGKILL); err == nil {
			t.Error("it ended by itself")
		}
		cancel()
		wait()
		p.start()
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	p.sound(in.all)
}

func TestCommandsTogetherTakeTurns(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var all sync.WaitGroup
	for n := range 6 {
		cmd := duyet(t, "site", "add", fmt.Sprint("s", n), "--name", "x", "--origin", "https://x.example", "--data", data)
		all.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	if list := must(t, "site", "list", "--data", data); strings.Count(list, "https://x.example") != 6 {
		t.Errorf("not all were added: %s", list)
	}
}

func TestBackupsRotate(t *testing.T) {
	p, _ := newProgram(t, "--backup-every", "1s", "--backup-keep", "1")
	dir := filepath.Join(p.data, "backups")
	var files []string
	seen := map[string]bool{}
	for end := time.Now().Add(30 * time.Second); len(seen) < 2 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		files, _ = storage.Backups(dir) // there is no folder before the first
		for _, f := range files {
			seen[f] = true
		}
	}
	if len(seen) < 2 || len(files) > 2 {
		t.Fatalf("%d backups were made, %d kept: %s", len(seen), len(files), p.logs())
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	files, err := storage.Backups(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v are kept, %v", files, err)
	}
	must(t, "restore", files[len(files)-1], "--data", filepath.Join(t.TempDir(), "again"))
}

func TestOpsListener(t *testing.T) {
	p, _ := newProgram(t, "--ops-listen", "127.0.0.1:0")
	if _, err := p.post(t.Context(), "một"); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(p.logs(), " ops=")
	ops, _, _ := strings.Cut(rest, "\n")
	public := p.address
	p.address = "http://" + ops
	resp, err := p.client.Get(p.address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := readAll(t, resp)
	for _, line := range []string{
		`duyet_submissions_total{outcome="pending"} 1`, `duyet_captchas_total{event="issued"} 1`, `duyet_captchas_total{event="solved"} 1`,
		`duyet_queue_length{site="baolaocai"} 1`, `duyet_requests_total{route="POST /api/v1/sites/{site}/comments",status="2xx"} 1`,
		"duyet_store_bytes ", "duyet_store_commit_seconds_count ",
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s", line)
		}
	}
	p.address = public
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if status, err := p.call(t.Context(), "GET", path, "", nil, nil); status != http.StatusNotFound || err != nil {
			t.Errorf("%s on the public listener: %d, %v", path, status, err)
		}
	}
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestBasePathBehindAProxy(t *testing.T) {
	p, _ := newProgram(t, "--base-url", "https://news.example/comments/")
	if !strings.Contains(p.logs(), "address=https://news.example/comments ") {
		t.Errorf("ready at another address: %s", p.logs())
	}
	_, rest, _ := strings.Cut(p.logs(), " listen=")
	listen, _, _ := strings.Cut(rest, " ")
	p.address = "http://" + listen
	for _, path := range []string{"/comments/s/", "/s/"} {
		resp, err := p.client.Get(p.address + path + testSite + "/thread?page=" + testPage)
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, resp)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(body, `action="/comments/s/`+testSite+`/comments`) {
			t.Errorf("%s: %d, and its form posts elsewhere", path, resp.StatusCode)
		}
	}
}
