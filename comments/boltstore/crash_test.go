//go:build unix

package boltstore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// child is this test binary as another process.
func child(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "DUYET_TEST_CHILD="+what, "DUYET_TEST_DB="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// TestKill kills a process with 16 writers at random moments: whatever it acknowledged is
// there, once, and everything fits.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "duyet.db")
	db, err := boltstore.Open(t.Context(), options(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddSite(t.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	acknowledged := map[comments.ID]bool{}
	for round := range 5 {
		for _, id := range killAfter(t, path, 1+random.IntN(400)) {
			if acknowledged[id] {
				t.Fatalf("%s was acknowledged twice", id)
			}
			acknowledged[id] = true
		}
		db, err := boltstore.Open(t.Context(), options(path))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		check(t, db)
		for id := range acknowledged {
			c, err := db.Comment(t.Context(), id)
			if err != nil || c.Content != words {
				t.Errorf("round %d: acknowledged %s: %v", round, id, err)
			}
		}
		head, err := db.VerifyChain(t.Context(), "news")
		if err != nil || head.Counts.Total() < int64(len(acknowledged)) {
			t.Errorf("round %d: %d acknowledged, head %+v, %v", round, len(acknowledged), head, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// killAfter lets a child acknowledge so many comments, kills it, and returns all that it
// acknowledged.
func killAfter(t *testing.T, path string, n int) (ids []comments.ID) {
	t.Helper()
	cmd := child(t, "write", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // a last line that was cut off was not acknowledged
			break
		}
		ids = append(ids, comments.ID(strings.TrimSpace(line)))
		if len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) < n {
		t.Fatalf("the child ended by itself after %d: %v", len(ids), err)
	}
	return ids
}

// fillUp writes until the store can't take more, shows that reading goes on and that
// what failed has changed nothing, makes room, and writes again.
func fillUp(db *boltstore.DB, makeRoom func() error) {
	ctx := context.Background()
	n := int64(0)
	var made []comments.ID
	write := func() error {
		n++
		c := childCreation(n)
		c.Comment.Content = strings.Repeat("x", 20_000)
		_, _, err := db.Create(ctx, c)
		if err == nil {
			made = append(made, c.Comment.ID)
		}
		return err
	}
	var err error
	for err == nil && n < 1000 {
		err = write()
	}
	if !errors.Is(err, comments.ErrUnavailable) {
		childFail(fmt.Errorf("after %d comments: %v", n, err))
	}
	before, err := db.Head(ctx, "news")
	if err != nil || int(before.Counts.Total()) != len(made) {
		childFail(fmt.Errorf("head %+v of %d comments: %v", before, len(made), err))
	}
	for range 20 {
		if err := write(); err != nil && !errors.Is(err, comments.ErrUnavailable) {
			childFail(err)
		}
	}
	for _, id := range made {
		if _, err := db.Comment(ctx, id); err != nil {
			childFail(fmt.Errorf("reading while full: %w", err))
		}
	}
	if after, err := db.Head(ctx, "news"); err != nil || int(after.Counts.Total()) != len(made) {
		childFail(fmt.Errorf("while full the head went to %+v: %v", after, err))
	}
	if err := makeRoom(); err != nil {
		childFail(err)
	}
	for range 50 {
		if err := write(); err != nil {
			childFail(fmt.Errorf("with room again: %w", err))
		}
	}
	if err := db.CheckTree(ctx); err != nil {
		childFail(err)
	}
	if err := db.Check(ctx, nil, func(p boltstore.Problem) { childFail(errors.New(p.String())) }); err != nil {
		childFail(err)
	}
	if err := db.Close(); err != nil {
		childFail(err)
	}
	fmt.Println(len(made))
}

// TestDiskFull writes where files can't grow, in a process of its own.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "duyet.db")
	db, err := boltstore.Open(t.Context(), options(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddSite(t.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "full", path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, options(path))
	head, err := again.VerifyChain(t.Context(), "news")
	if err != nil || fmt.Sprint(head.Counts.Total()) != string(bytes.TrimSpace(out)) {
		t.Errorf("head %+v, %v; the child made %s", head, err, out)
	}
}

// TestSizeLimit is Options.MaxBytes: writing is refused, reading is not.
func TestSizeLimit(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "duyet.db"))
	o.MaxBytes = 1 << 20
	db := open(t, o)
	if _, err := db.AddSite(t.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator"); err != nil {
		t.Fatal(err)
	}
	made := 0
	for ; made < 10_000; made++ {
		c := creation(t, "news", int64(made))
		c.Comment.Content = strings.Repeat("x", 20_000)
		if _, _, err := db.Create(t.Context(), c); err != nil {
			if !errors.Is(err, comments.ErrUnavailable) {
				t.Fatal(err)
			}
			break
		}
	}
	head, err := db.Head(t.Context(), "news")
	if err != nil || head.Counts.Pending != int64(made) || made == 0 || made == 10_000 {
		t.Errorf("made %d, head %+v, %v", made, head, err)
	}
	// Room comes of removing something; it takes some pages itself.
	if err := db.RemoveSite(t.Context(), "news", "operator"); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		_, err := db.AddSite(t.Context(), comments.Site{ID: "news", Settings: comments.DefaultSettings()}, "operator")
		if err == nil {
			break
		}
		if i == 100 {
			t.Fatal(err)
		}
	}
	if _, _, err := db.Create(t.Context(), creation(t, "news", 1)); err != nil {
		t.Error(err)
	}
}

// TestHeld: a database in another process is refused at once, naming it, and is had when
// that process dies, however it dies.
func TestHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "duyet.db")
	cmd := child(t, "hold", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := io.ReadFull(out, make([]byte, len("held\n"))); err != nil {
		t.Fatal(err)
	}
	_, err = boltstore.Open(t.Context(), options(path))
	var locked *boltstore.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, comments.ErrUnavailable) ||
		!strings.Contains(err.Error(), fmt.Sprintf("process %d (test)", cmd.Process.Pid)) {
		t.Fatalf("error %v does not name process %d", err, cmd.Process.Pid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options(path)
	o.Wait = time.Hour
	if _, err := boltstore.Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with a context that is done: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	open(t, o)
}
