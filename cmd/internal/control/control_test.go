package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// start serves h on a folder until the test ends, or the returned function is called.
func start(t *testing.T, dir string, h Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Serve(ctx, dir, h, slog.New(slog.DiscardHandler), func() { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

func TestACommandAndItsStreams(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, func(_ context.Context, req Request, stdin io.Reader, stdout, stderr io.Writer) int {
		n, err := io.Copy(stdout, stdin)
		fmt.Fprintf(stderr, "%s %s %d %v", req.Command, req.Params, n, err)
		return 2
	})
	long := strings.Repeat("dài ", 1<<20)
	for _, in := range []string{"", "một dòng\n", long} {
		var out, errs bytes.Buffer
		code, err := Call(t.Context(), dir, Request{Command: "echo", Params: []byte(`{"A":1}`)}, strings.NewReader(in), &out, &errs)
		if err != nil || code != 2 || out.String() != in || errs.String() != fmt.Sprintf(`echo {"A":1} %d <nil>`, len(in)) {
			t.Errorf("%d bytes in: exit %d, %v, %d bytes out, %s", len(in), code, err, out.Len(), errs.String())
		}
	}
}

func TestStdinIsLeftAloneWhenNobodyReadsIt(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, func(context.Context, Request, io.Reader, io.Writer, io.Writer) int { return 0 })
	code, err := Call(t.Context(), dir, Request{}, untouchable{t}, io.Discard, io.Discard)
	if code != 0 || err != nil {
		t.Error(code, err)
	}
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) { u.t.Error("stdin was read"); return 0, io.EOF }

func TestNoServer(t *testing.T) {
	dir := t.TempDir()
	call := func() error {
		_, err := Call(t.Context(), dir, Request{}, nil, io.Discard, io.Discard)
		return err
	}
	if err := call(); !errors.Is(err, ErrNoServer) {
		t.Error("an empty folder:", err)
	}
	stop := start(t, dir, func(context.Context, Request, io.Reader, io.Writer, io.Writer) int { return 0 })
	if !Running(t.Context(), dir) {
		t.Error("a server that runs isn't seen")
	}
	stop()
	if err := call(); !errors.Is(err, ErrNoServer) || Running(t.Context(), dir) {
		t.Error("a server that has ended:", err)
	}

	// A dead server leaves its socket behind; the next one takes its place.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if err := call(); !errors.Is(err, ErrNoServer) {
		t.Error("a dead server's socket:", err)
	}
	start(t, dir, func(context.Context, Request, io.Reader, io.Writer, io.Writer) int { return 0 })
	if err := call(); err != nil {
		t.Error("after a dead server:", err)
	}
}

func TestTheClientGoesAway(t *testing.T) {
	dir := t.TempDir()
	entered, left := make(chan struct{}), make(chan struct{})
	start(t, dir, func(ctx context.Context, _ Request, _ io.Reader, _, _ io.Writer) int {
		close(entered)
		<-ctx.Done()
		close(left)
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if _, err := Call(ctx, dir, Request{}, nil, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-left
}

func TestAPanicIsAnExitCode(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, func(context.Context, Request, io.Reader, io.Writer, io.Writer) int { panic("oh") })
	var errs bytes.Buffer
	code, err := Call(t.Context(), dir, Request{}, nil, io.Discard, &errs)
	if code != 1 || err != nil || !strings.Contains(errs.String(), "oh") {
		t.Error(code, err, errs.String())
	}
}

func TestALongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", "/tmp")
	stop := start(t, dir, func(context.Context, Request, io.Reader, io.Writer, io.Writer) int { return 7 })
	short, err := os.ReadFile(filepath.Join(dir, pathName))
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSpace(string(short))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if code, err := Call(t.Context(), dir, Request{}, nil, io.Discard, io.Discard); code != 7 || err != nil {
		t.Error(code, err)
	}
	stop()
	for _, left := range []string{filepath.Dir(path), filepath.Join(dir, pathName)} {
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind", left)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("Q\x00\x00\x00\x02{}"))
	f.Add([]byte("Q\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, payload, err := readFrame(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, kind, payload); err != nil || !bytes.HasPrefix(data, again.Bytes()) {
			t.Fatalf("%q is read as %q %q", data, kind, payload)
		}
	})
}
