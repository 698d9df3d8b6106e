package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// chromium is Debian's; `make test` installs it.
const chromium = "/usr/bin/chromium"

// newBrowser starts a browser with a profile of its own. Flags are Chromium's, by name.
func newBrowser(t *testing.T, flags map[string]any) context.Context {
	t.Helper()
	if _, err := os.Stat(chromium); err != nil {
		t.Fatal("no Chromium: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("accept-lang", "vi"),
	)
	for name, value := range flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	do(t, ctx)
	return ctx
}

// newTab opens a tab of a browser.
func newTab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	do(t, ctx)
	return ctx
}

// do runs steps in a tab; none may take longer than a slow machine needs.
func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab); err != nil { // the first call owns the tab: it has no limit
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v\n%s", err, where(tab))
	}
}

// get runs an action that has a result.
func get[T any](t *testing.T, tab context.Context, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatalf("%v\n%s", err, where(tab))
	}
	return v
}

// where tells of the page a test failed on.
func where(tab context.Context) string {
	ctx, cancel := context.WithTimeout(tab, 5*time.Second)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	return at + "\n" + text
}

// frame attaches to a cross-site iframe by a part of its address.
func frame(t *testing.T, tab context.Context, part string) context.Context {
	t.Helper()
	var id target.ID
	eventually(t, "an iframe of "+part, func() bool {
		infos, err := chromedp.Targets(tab)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range infos {
			if info.Type == "iframe" && strings.Contains(info.URL, part) {
				id = info.TargetID
				return true
			}
		}
		return false
	})
	ctx, cancel := chromedp.NewContext(tab, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	do(t, ctx)
	return ctx
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// media makes a tab light or dark.
func media(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := cdp.Call(ctx, tg, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// violation is what axe-core found.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe holds a page to WCAG 2.2 AA and axe-core's best practices.
func axe(t *testing.T, tab context.Context, what string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "axe-4.14.1.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	get(t, tab, chromedp.Evaluate[chromedp.Void](string(source)+";undefined"))
	found := get(t, tab, chromedp.Evaluate[[]violation](
		`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`, chromedp.EvalAwaitPromise))
	for _, v := range found {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.Summary)
		}
	}
}

// demoProcess is a running `duyet demo`.
type demoProcess struct {
	bin, data           string
	article, desk, link string
	process             *exec.Cmd
}

var builtDuyet = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "duyet-test-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "duyet")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return bin, nil
})

var addressLine = regexp.MustCompile(`https?://\S+`)

// startDemo runs the demo in a process of its own and reads where it is from what it
// prints.
func startDemo(t *testing.T) *demoProcess {
	t.Helper()
	bin, err := builtDuyet()
	if err != nil {
		t.Fatal(err)
	}
	d := &demoProcess{bin: bin, data: filepath.Join(t.TempDir(), "data")}
	d.process = exec.Command(bin, "demo", "--data", d.data)
	var out, errs lockedBuffer
	d.process.Stdout, d.process.Stderr = &out, &errs
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.process.Process.Signal(syscall.SIGTERM)
		if err := d.process.Wait(); err != nil {
			t.Errorf("demo ended with %v\n%s", err, errs.String())
		}
	})
	eventually(t, "the demo's addresses", func() bool {
		found := addressLine.FindAllString(out.String(), -1)
		if len(found) < 3 {
			return false
		}
		d.article, d.desk, d.link = found[0], found[1], found[2]
		return strings.Contains(d.link, "token=")
	})
	return d
}

// solve reads a code off a ticket, as the operator can.
func (d *demoProcess) solve(t *testing.T, ticket string) string {
	t.Helper()
	out, err := exec.Command(d.bin, "captcha", "solve", "--data", d.data, ticket).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// lockedBuffer is written by a process and read by a test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
