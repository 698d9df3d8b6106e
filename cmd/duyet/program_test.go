package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"duyet/cmd/internal/storage"
	"duyet/comments"
)

// program is a running `duyet serve`: the real program in a process of its own, on a free
// port.
type program struct {
	t       *testing.T
	data    string
	address string // http://127.0.0.1:PORT
	process *exec.Cmd
	solver  *tickets
	client  *http.Client

	mu     sync.Mutex
	log    bytes.Buffer
	logged chan struct{} // closed at the end of the log
}

// duyet is the program's command; see TestMain.
func duyet(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: self, Args: append([]string{"duyet"}, args...), Env: append(os.Environ(), "GORACE=atexit_sleep_ms=10")}
}

// must runs a command to its end, in this process, and returns what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, strings.NewReader(""), &out, io.Discard); err != nil {
		t.Fatalf("duyet %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

const (
	testSite = "baolaocai"
	testPage = "https://news.example/vi/bai-1"
)

// newProgram makes an installation with a site and a moderator's token, and serves it.
func newProgram(t *testing.T, args ...string) (p *program, token string) {
	t.Helper()
	return newProgramFor(t, "https://news.example", args...)
}

// newProgramFor is newProgram with a site of another origin.
func newProgramFor(t *testing.T, origin string, args ...string) (p *program, token string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	must(t, "site", "add", testSite, "--name", "Báo Lào Cai", "--origin", origin, "--data", data)
	must(t, "site", "set", testSite, "rate_limit=off", "--data", data)
	must(t, "moderator", "add", "an@news.example", "--role", "admin", "--data", data)
	token = strings.TrimSpace(must(t, "token", "add", "--moderator", "an@news.example", "--data", data))
	p = &program{t: t, data: data, solver: new(tickets), client: &http.Client{Timeout: 30 * time.Second}}
	secret, err := storage.ReadSecret(data, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.solver.use(secret); err != nil {
		t.Fatal(err)
	}
	p.start(args...)
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p, token
}

// start runs the program, on a free port, until its log says that it is ready.
func (p *program) start(args ...string) {
	p.t.Helper()
	p.startAt(append([]string{"--listen", "127.0.0.1:0"}, args...)...)
}

// startAt does so wherever the arguments say.
func (p *program) startAt(args ...string) {
	p.t.Helper()
	p.process = duyet(p.t, append([]string{"serve", "--data", p.data}, args...)...)
	stderr, err := p.process.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.logged = make(chan struct{})
	ready := make(chan string, 1)
	go func() {
		defer close(p.logged)
		defer close(ready)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if rest, ok := strings.CutPrefix(lines.Text()[strings.Index(lines.Text(), "msg="):], "msg=ready address="); ok {
				address, _, _ := strings.Cut(rest, " ")
				ready <- address
			}
		}
	}()
	address, ok := <-ready
	if !ok {
		p.t.Fatalf("the service ended before it was ready: %s", p.logs())
	}
	p.address = address
}

func (p *program) logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// end sends a signal and waits for the end.
func (p *program) end(sig syscall.Signal) error {
	if p.process == nil {
		return nil
	}
	_ = p.process.Process.Signal(sig) // it may be gone already
	<-p.logged
	err := p.process.Wait()
	p.process = nil
	return err
}

// call sends JSON, or nothing, and reads JSON into answer where that isn't nil.
func (p *program) call(ctx context.Context, method, path, token string, body, answer any) (int, error) {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.address+path, sent)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Mozilla/5.0 Firefox/140.0")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && answer != nil && resp.StatusCode < 300 {
		err = json.Unmarshal(data, answer)
	}
	return resp.StatusCode, err
}

// post sends a comment the whole way in and returns its id, which is "" with an error when
// it was not let in.
func (p *program) post(ctx context.Context, content string) (id string, err error) {
	var code struct{ Ticket string }
	status, err := p.call(ctx, "POST", "/api/v1/sites/"+testSite+"/captcha", "", map[string]string{"page": testPage}, &code)
	if err != nil || status != http.StatusCreated {
		return "", fmt.Errorf("captcha: %d %w", status, err)
	}
	digits, err := p.solver.solve(code.Ticket)
	if err != nil {
		return "", err
	}
	var answer struct{ Comment struct{ ID string } }
	status, err = p.call(ctx, "POST", "/api/v1/sites/"+testSite+"/comments", "", map[string]string{
		"page": testPage, "page_title": "Bài một", "name": "Nguyễn Văn Ạ", "title": "Ý kiến", "content": content,
		"ticket": code.Ticket, "code": digits,
	}, &answer)
	if err != nil || status != http.StatusCreated {
		return "", fmt.Errorf("comment: %d %w", status, err)
	}
	return answer.Comment.ID, nil
}

// sound opens the installation that nobody serves, finds every comment that was let in,
// and has everything checked.
func (p *program) sound(ids []string) {
	p.t.Helper()
	store, err := storage.Open(p.t.Context(), storage.Options{Dir: p.data, Wait: waitForLock, Command: "the test"})
	if err != nil {
		p.t.Fatal(err)
	}
	defer store.Close()
	for _, id := range ids {
		c, err := store.Comments().Comment(p.t.Context(), comments.ID(id))
		if err != nil || c.Name != "Nguyễn Văn Ạ" || c.Status != comments.Pending {
			p.t.Errorf("%s was let in and is %+v, %v", id, c, err)
		}
	}
	problems, err := store.Check(p.t.Context(), nil)
	if err != nil || len(problems) > 0 {
		p.t.Errorf("the store is not sound: %v %v", problems, err)
	}
	if _, err := store.Comments().VerifyChain(p.t.Context(), testSite); err != nil {
		p.t.Error(err)
	}
}
