package main

import (
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Two demos stand beside each other on the next free ports, and each leaves nothing behind.
func TestTwoDemosAndTheirEnd(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var places []string
	for range 2 {
		cmd := duyet(t, "demo", "--listen", taken.Addr().String(), "--site-port", "0")
		var out, errs lockedBuffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() }) // gone by then, if all went well
		var found []string
		eventually(t, "the demo's addresses", func() bool {
			found = addressLine.FindAllString(out.String(), -1)
			return len(found) >= 3 && strings.Contains(out.String(), "Ctrl-C")
		})
		for _, address := range found[:3] {
			resp, err := http.Get(address)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", address, resp.StatusCode)
			}
		}
		places = append(places, found[0], found[1])
		defer func() {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil || errs.String() != "" {
				t.Errorf("the demo ended with %v and said %s", err, errs.String())
			}
		}()
	}
	if places[0] == places[2] || places[1] == places[3] {
		t.Errorf("two demos at one place: %v", places)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

// A folder with sites of its own is nobody's playground.
func TestDemoLeavesOthersAlone(t *testing.T) {
	p, _ := newProgram(t)
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	out, err := duyet(t, "demo", "--listen", "127.0.0.1:0", "--site-port", "0", "--data", p.data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "holds an installation with sites of its own") {
		t.Errorf("%v: %s", err, out)
	}
}
