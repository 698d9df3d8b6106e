package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"duyet/comments"
	"duyet/comments/boltstore"
)

// sound is the bytes of a store with something of everything, and all that can be read
// from it.
func sound(t *testing.T) (file []byte, truth map[string]any) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.db")
	db, err := boltstore.Open(t.Context(), options(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"news", "other"} {
		if _, err := db.AddSite(t.Context(), comments.Site{ID: id, Settings: comments.DefaultSettings()}, "operator"); err != nil {
			t.Fatal(err)
		}
		for n := range int64(60) {
			c := creation(t, id, n)
			c.Comment.Status = comments.Statuses[n%5]
			if n%7 == 0 {
				c.Comment.Signals = []comments.Signal{{Check: "x", Level: comments.LevelHold}}
			}
			if n == 30 {
				c.Comment.Content = strings.Repeat("Dài. ", 4000) // beyond one page
			}
			c.Page.Title = "Bài"
			if _, _, err := db.Create(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	truth = readAll(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	file, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, truth
}

// readAll reads all there is. What can't be read is there as its error.
func readAll(t *testing.T, db *boltstore.DB) map[string]any {
	t.Helper()
	ctx := t.Context()
	all := map[string]any{}
	note := func(what string, v any, err error) {
		if err != nil {
			v = err
		}
		all[what] = v
	}
	sites, err := db.Sites(ctx)
	note("sites", sites, err)
	for _, site := range []string{"news", "other", comments.Installation} {
		head, err := db.Head(ctx, site)
		note("head "+site, head, err)
		verified, err := db.VerifyChain(ctx, site)
		note("chain "+site, verified, err)
		events, err := db.Events(ctx, site, 0, 1000)
		note("events "+site, events, err)
		if site == comments.Installation {
			continue
		}
		latest, err := db.Latest(ctx, site, 1000)
		note("latest "+site, latest, err)
		for _, status := range comments.Statuses {
			list, err := db.Queue(ctx, comments.QueueFilter{Site: site, Status: status, Limit: 1000})
			note("queue "+site+string(status), list, err)
			for _, c := range list {
				one, err := db.Comment(ctx, c.ID)
				note("comment "+string(c.ID), one, err)
				history, err := db.History(ctx, c.ID)
				note("history "+string(c.ID), history, err)
			}
		}
		suspects, err := db.Queue(ctx, comments.QueueFilter{Site: site, Queue: comments.Suspect, Order: comments.Newest, Limit: 1000})
		note("suspects "+site, suspects, err)
		risky, err := db.Queue(ctx, comments.QueueFilter{Site: site, Status: comments.Pending, Order: comments.ByRisk, Limit: 1000})
		note("by risk "+site, risky, err)
		for n := range 50 {
			key := fmt.Sprintf("https://news.example/bai-viet-%d.html", n)
			page, err := db.Page(ctx, site, key)
			note("page "+site+key, page, err)
			thread, err := db.Thread(ctx, site, key, comments.Oldest, "", 1000)
			note("thread "+site+key, thread, err)
		}
	}
	return all
}

// refused opens bytes that must be refused with one line, and left as they are.
func refused(t *testing.T, what string, file []byte, want ...error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "duyet.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := boltstore.Open(t.Context(), options(path))
	if err == nil {
		db.Close()
		t.Errorf("%s: it was opened", what)
		return
	}
	fits := false
	for _, w := range want {
		fits = fits || errors.Is(err, w)
	}
	if !fits || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: error %q", what, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, file) {
		t.Errorf("%s: the file was changed", what)
	}
}

func TestRefusesWhatIsNoDatabase(t *testing.T) {
	file, _ := sound(t)
	refused(t, "empty", nil, boltstore.ErrDamaged)
	end := used(t, file) // beyond it space is set aside; nothing stands there
	for at := 1; at < end; at += 1 + at/3 {
		refused(t, fmt.Sprintf("cut to %d bytes", at), file[:at], boltstore.ErrDamaged, boltstore.ErrForeign)
	}
	refused(t, "cut by a byte", file[:end-1], boltstore.ErrDamaged)
	random := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	refused(t, "noise", noise, boltstore.ErrForeign)
	refused(t, "zeros", make([]byte, 70_000), boltstore.ErrForeign)
	refused(t, "text", []byte("<!doctype html>\n"), boltstore.ErrForeign)

	path := filepath.Join(t.TempDir(), "other.db")
	for _, bucket := range []string{"", "about", "users"} {
		b, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bucket != "" {
			err = b.Update(func(tx *bbolt.Tx) error {
				made, err := tx.CreateBucket([]byte(bucket))
				if err != nil {
					return err
				}
				return made.Put([]byte("format"), []byte("mine"))
			})
		}
		if err := errors.Join(err, b.Close()); err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "another program's file, bucket "+bucket, other, boltstore.ErrForeign)
	}
	overwritten := bytes.Clone(file)
	copy(overwritten, noise[:8192])
	refused(t, "overwritten at its beginning", overwritten, boltstore.ErrForeign, boltstore.ErrDamaged)
	for _, at := range []int{0, 4096} {
		torn := bytes.Clone(file)
		clear(torn[at : at+4096])
		refused(t, fmt.Sprintf("without its page at %d", at), torn, boltstore.ErrDamaged)
	}
}

// used is the length up to which pages are in use.
func used(t *testing.T, file []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "used.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := boltstore.Open(t.Context(), options(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stats, err := db.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(stats.UsedBytes)
}

// TestFlippedBits flips single bits all over a file. Each is refused at the start, with
// the bytes untouched; or harmless; or found by the check, and what is read is right, or
// ErrDamaged, or lacks what an index no longer lists.
func TestFlippedBits(t *testing.T) {
	file, truth := sound(t)
	end := used(t, file)
	random := rand.New(rand.NewPCG(2, 2))
	outcomes := map[string]int{}
	path := filepath.Join(t.TempDir(), "duyet.db")
	for range 150 {
		at, bit := random.IntN(end), byte(1)<<random.IntN(8)
		if random.IntN(4) == 0 { // headers of pages, where most harm is done
			at = at/4096*4096 + random.IntN(120)
		}
		flipped := bytes.Clone(file)
		flipped[at] ^= bit
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("bit %#x of byte %d", bit, at)
		db, err := boltstore.Open(t.Context(), options(path))
		if err != nil {
			outcomes["refused"]++
			if !errors.Is(err, comments.ErrDamaged) && !errors.Is(err, boltstore.ErrForeign) && !errors.Is(err, boltstore.ErrOtherSecret) {
				t.Errorf("%s: error %q", name, err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, flipped) {
				t.Errorf("%s: the file was changed", name)
			}
			continue
		}
		outcomes[judge(t, name, db, truth)]++
		if err := db.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
	t.Log(outcomes)
	if outcomes["refused"] == 0 || outcomes["found"] == 0 || outcomes["harmless"] == 0 {
		t.Errorf("the test has missed something: %v", outcomes)
	}
}

// judge holds what is read from a file with one bit flipped against the truth.
func judge(t *testing.T, name string, db *boltstore.DB, truth map[string]any) string {
	t.Helper()
	problems := 0
	if err := db.Check(t.Context(), nil, func(boltstore.Problem) { problems++ }); err != nil && !errors.Is(err, comments.ErrDamaged) {
		t.Errorf("%s: check: %v", name, err)
	} else if err != nil {
		problems++
	}
	different := false
	for what, got := range readAll(t, db) {
		want := truth[what]
		if reflect.DeepEqual(got, want) {
			continue
		}
		different = true
		err, failed := got.(error)
		switch {
		case failed && errors.Is(err, comments.ErrDamaged):
		case failed && strings.HasPrefix(what, "page ") && errors.Is(err, comments.ErrNotFound):
			// A page's key is what was changed.
		case subset(got, want):
		default:
			t.Errorf("%s: %s was read wrongly:\n got %+v\nwant %+v", name, what, got, want)
		}
	}
	switch {
	case different && problems == 0:
		t.Errorf("%s: something reads differently, and nobody noticed", name)
	case problems > 0:
		return "found"
	}
	return "harmless"
}

// subset reports whether got is want without some of its comments.
func subset(got, want any) bool {
	g, ok := got.([]comments.Comment)
	w, ok2 := want.([]comments.Comment)
	if !ok || !ok2 {
		return false
	}
	i := 0
	for _, c := range w {
		if i < len(g) && reflect.DeepEqual(g[i], c) {
			i++
		}
	}
	return i == len(g)
}
