package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.etcd.io/bbolt"

	"duyet/cmd/internal/storage"
	"duyet/comments"
	"duyet/comments/audience"
	boltreaders "duyet/comments/boltstore"
	"duyet/comments/pgstore"
	"duyet/comments/pgstore/pgtest"
	"duyet/comments/storetest"
	"duyet/moderation"
	boltmoderators "duyet/moderation/boltstore"
)

var cluster pgtest.Cluster

func TestMain(m *testing.M) { pgtest.Main(m, &cluster) }

// database makes a database for a test.
func database(t *testing.T) string { return cluster.Database(t) }

// furnish fills a store further, with all that a move has to bring.
func furnish(t *testing.T, s *storage.Storage) {
	t.Helper()
	b := fill(t, s)
	b.AddSite("empty")
	b.AddSite("other")
	for _, d := range []moderation.Document{
		{Site: "news", Kind: "words", ID: "default", Data: []byte("một\x00hai"), By: "m-1"},
		{Site: comments.Installation, Kind: "models", ID: "m", By: "system"},
	} {
		if _, err := s.Moderation().PutDocument(t.Context(), d, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Comments().MovePage(t.Context(), comments.PageMove{Site: "news", From: "https://news.example/2", To: "bài hai", Actor: "m-1"}); err != nil {
		t.Fatal(err)
	}
	day := audience.Day(20_000)
	for _, site := range []string{"news", "other"} {
		if _, err := s.Audience().LoadAudience(t.Context(), site, day, audience.Salts{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Audience().FlushAudience(t.Context(), []audience.Delta{
		{Site: "news", Day: day, Pages: map[string]int64{"https://news.example/": 7, "bài 1": 1_000_000_000_000}},
		{Site: "other", Day: day, Pages: map[string]int64{"bài 1": 2}},
	}); err != nil {
		t.Fatal(err)
	}
	edited := b.Post("news", "bài 1", comments.Approved)
	b.Change(edited.ID, func(c *comments.Comment) {
		w := c.Words()
		c.Status, c.Public, c.Content, c.EditedAt = comments.Pending, &w, "Lời mới", c.CreatedAt.Add(time.Hour)
		c.Risk, c.Marks = 300, comments.Appealed
	})
	b.Report(edited.ID, 1)
	reply := b.Reply(edited, comments.Approved)
	b.Like(edited.ID, 1, true)
	b.Like(reply.ID, 1, true)
	b.Like(reply.ID, 2, true)
	for i := range 40 {
		c := b.Creation([]string{"news", "other"}[i%2], fmt.Sprintf("bài %d", i%7), comments.Pending)
		c.Comment.Content = "Nhân dân \"và\" <b>\n:[] :{} – 𝒜"
		c.Author = comments.Author{Addr: netip.MustParseAddr([]string{"192.0.2.7", "2001:db8::1"}[i%2]), Expires: time.Now().Add(time.Hour)}
		c.Ticket = comments.Spend{ID: comments.TicketID{byte(i), 1}, Expires: time.Now().Add(time.Minute), Words: [32]byte{byte(i)}}
		c.Comment.Signals = []comments.Signal{{Check: "words", Level: comments.LevelHold, Code: "x", Args: map[string]string{"b": "2", "a": "1"},
			Places: []comments.Place{{Field: "content", Start: 1, End: 3}}}}
		created := b.Create(c)
		if i%3 == 0 {
			continue
		}
		detail := &comments.Detail{Salt: []byte("salt"), Reason: "vì sao", Note: "ghi chú"}
		if _, err := s.Moderation().Transition(t.Context(), []moderation.Change{{ID: created.ID, Actor: "m-1",
			Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) {
				return &moderation.Step{To: comments.Approved, Kind: comments.KindDecided, Reason: "insult", Detail: detail}, nil
			}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// post adds a comment to a store that has had many.
func post(b *storetest.Bench) {
	c := b.Creation("news", "bài 1", comments.Approved)
	c.Ticket = comments.Spend{}
	b.Create(c)
}

func move(t *testing.T, o storage.MoveOptions) storage.MoveReport {
	t.Helper()
	report, err := storage.Move(t.Context(), o)
	if err != nil {
		t.Fatalf("move %s to %s: %v", o.From, o.To, err)
	}
	return report
}

// TestMoveThereAndBack moves everything from a file into PostgreSQL and back, and finds
// every noun the same by count and hash; what came goes on being written.
func TestMoveThereAndBack(t *testing.T) {
	first, second, dsn := t.TempDir(), filepath.Join(t.TempDir(), "new"), database(t)
	s, closeNow := open(t, storage.Options{Dir: first})
	furnish(t, s)
	was := story(t, s)
	closeNow()

	there := move(t, storage.MoveOptions{From: first, To: dsn})
	for _, n := range there.Nouns {
		if n.Count == 0 {
			t.Errorf("the test has no %s to move", n.Noun)
		}
	}
	// Nodes take the folder's secret and the database.
	on, closeNow := open(t, storage.Options{Dir: first, DSN: dsn})
	same(t, "on the server", story(t, on), was)
	b := storetest.NewBench(t, on.Comments())
	post(b)
	was = story(t, on)
	if _, err := storage.Move(t.Context(), storage.MoveOptions{From: dsn, To: second, Dir: first}); !errors.Is(err, pgstore.ErrInUse) {
		t.Errorf("beside a node: %v", err)
	}
	closeNow()

	back := move(t, storage.MoveOptions{From: dsn, To: second, Dir: first})
	again := move(t, storage.MoveOptions{From: second, To: database(t)})
	for i, n := range back.Nouns {
		if again.Nouns[i] != n {
			t.Errorf("to a file it was %+v, from it %+v", n, again.Nouns[i])
		}
	}
	end, _ := open(t, storage.Options{Dir: second})
	same(t, "in a file again", story(t, end), was)
	b = storetest.NewBench(t, end.Comments())
	post(b)
	b.AddSite("later")
	if _, err := end.Comments().VerifyChain(t.Context(), "news"); err != nil {
		t.Error(err)
	}
}

// story is what a store says of itself through its doors.
func story(t *testing.T, s *storage.Storage) (lines []string) {
	t.Helper()
	ctx, c := t.Context(), s.Comments()
	tell := func(what any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	heads, err := s.Heads(ctx)
	tell(heads, err)
	sites, err := c.Sites(ctx)
	tell(sites, err)
	for _, site := range append(sites, comments.Site{ID: comments.Installation}) {
		events, err := c.Events(ctx, site.ID, 0, 1000)
		tell(events, err)
		for _, e := range events {
			if e.Comment != "" {
				history, err := c.History(ctx, e.Comment)
				tell(history, err)
				comment, err := c.Comment(ctx, e.Comment)
				tell(comment, err)
				revisions, err := c.Revisions(ctx, e.Comment)
				tell(len(revisions), err)
				reports, err := c.Reports(ctx, e.Comment)
				tell(reports, err)
				page, err := c.Page(ctx, site.ID, comment.Page)
				tell(page, err)
				thread, err := c.Thread(ctx, site.ID, comment.Page, comments.Newest, "", 100)
				tell(len(thread), err)
			}
		}
		if site.ID == comments.Installation {
			continue
		}
		for _, f := range []moderation.QueueFilter{{Status: comments.Pending}, {Status: comments.Pending, Queue: moderation.Suspect}, {Status: comments.Spam},
			{Queue: moderation.Reported}, {Queue: moderation.Appeals}, {Queue: moderation.Edited}, {Status: comments.Pending, Order: comments.ByRisk}} {
			f.Site, f.Limit = site.ID, 1000
			queue, err := s.Moderation().Queue(ctx, f)
			tell(queue, err)
			n, err := s.Moderation().QueueCount(ctx, f)
			tell(n, err)
		}
	}
	written, err := c.WrittenCounts(ctx, comments.Wrote{Site: "news", Addr: netip.MustParseAddr("192.0.2.7")})
	tell(written, err)
	document, err := s.Moderation().Document(ctx, "news", "words", "default")
	tell(document, err)
	people, err := s.Moderation().Moderators(ctx)
	tell(people, err)
	token, err := s.Moderation().Token(ctx, moderation.HashOf("t"))
	tell(token.Moderator, err)
	link, err := s.Moderation().Link(ctx, moderation.HashOf("l"))
	tell(link.Expires, err)
	session, err := s.Moderation().Session(ctx, moderation.HashOf("s"), time.Now())
	tell(session, err)
	return lines
}

func same(t *testing.T, where string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d lines, not %d", where, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: line %d\n%s\nwas\n%s", where, i, got[i], want[i])
		}
	}
}

// TestMoveGoesOn: a move that is cut off anywhere goes on where it had come; nobody can
// open what is filled in part; and when the source has changed meanwhile it begins anew.
func TestMoveGoesOn(t *testing.T) {
	dir, dsn := t.TempDir(), database(t)
	s, closeNow := open(t, storage.Options{Dir: dir})
	furnish(t, s)
	closeNow()
	cut := func(o storage.MoveOptions, steps int) bool {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		o.Step = func(string, int64, int64) {
			if steps--; steps <= 0 {
				cancel()
			}
		}
		report, err := storage.Move(ctx, o)
		if err == nil {
			return false
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cut off: %v %+v", err, report)
		}
		return true
	}
	there := storage.MoveOptions{From: dir, To: dsn}
	for steps := 1; steps < 6; steps++ {
		if !cut(there, steps) {
			t.Fatal("it was not cut off")
		}
		if _, err := storage.Open(t.Context(), storage.Options{Dir: dir, DSN: dsn}); !errors.Is(err, comments.ErrUnfinishedMove) {
			t.Fatalf("a node on a half-filled database: %v", err)
		}
	}
	other := t.TempDir()
	stranger, closeNow := open(t, storage.Options{Dir: other, Secret: s.Secret().Text()})
	fill(t, stranger)
	closeNow()
	if _, err := storage.Move(t.Context(), storage.MoveOptions{From: other, To: dsn, Secret: s.Secret().Text()}); !errors.Is(err, storage.ErrTargetOther) {
		t.Errorf("into another's move: %v", err)
	}
	if report := move(t, there); !report.Resumed {
		t.Error("it did not go on")
	}
	if _, err := storage.Move(t.Context(), there); !errors.Is(err, storage.ErrTargetNotEmpty) {
		t.Errorf("into what is full: %v", err)
	}

	back := storage.MoveOptions{From: dsn, To: filepath.Join(t.TempDir(), "back"), Dir: dir}
	cut(back, 3)
	if _, err := storage.Open(t.Context(), storage.Options{Dir: back.To}); !errors.Is(err, comments.ErrUnfinishedMove) {
		t.Fatalf("a server on a half-filled folder: %v", err)
	}
	node, closeNow := open(t, storage.Options{Dir: dir, DSN: dsn})
	storetest.NewBench(t, node.Comments()).AddSite("meanwhile")
	closeNow()
	if report := move(t, back); !report.Anew {
		t.Error("it did not begin anew")
	}
	end, _ := open(t, storage.Options{Dir: back.To})
	if _, err := end.Comments().Site(t.Context(), "meanwhile"); err != nil {
		t.Error(err)
	}
}

func TestMoveRefuses(t *testing.T) {
	dir, dsn := t.TempDir(), database(t)
	s, closeNow := open(t, storage.Options{Dir: dir})
	fill(t, s)
	if _, err := storage.Move(t.Context(), storage.MoveOptions{From: dir, To: dsn}); !storage.IsLocked(err) {
		t.Errorf("beside a server: %v", err)
	}
	closeNow()
	for what, o := range map[string]storage.MoveOptions{
		"from nothing":            {From: t.TempDir(), To: dsn},
		"without a secret":        {From: dsn, To: t.TempDir(), Dir: t.TempDir()},
		"to another's folder":     {From: dir, To: withSecret(t)},
		"to an unreachable place": {From: dir, To: "postgres:///x?host=/nowhere&user=postgres"},
	} {
		if _, err := storage.Move(t.Context(), o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	full := t.TempDir()
	other, closeNow := open(t, storage.Options{Dir: full, Secret: s.Secret().Text()})
	storetest.NewBench(t, other.Comments()).AddSite("mine")
	closeNow()
	if _, err := storage.Move(t.Context(), storage.MoveOptions{From: dir, To: full}); !errors.Is(err, storage.ErrTargetNotEmpty) {
		t.Errorf("into what is full: %v", err)
	}
	again, _ := open(t, storage.Options{Dir: full, Secret: s.Secret().Text()})
	if _, err := again.Comments().Site(t.Context(), "mine"); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
}

func withSecret(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := storage.LoadSecret(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEverythingMovesOrSaysWhyNot: whoever adds a bucket or a table adds it to a noun of
// its store's Nouns, or to NotMoved with the reason.
func TestEverythingMovesOrSaysWhyNot(t *testing.T) {
	dir, dsn := t.TempDir(), database(t)
	_, closeFile := open(t, storage.Options{Dir: dir})
	closeFile()
	_, closeServer := open(t, storage.Options{Dir: dir, DSN: dsn})
	closeServer()

	var buckets []string
	file, err := bbolt.Open(filepath.Join(dir, storage.DatabaseFile), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			buckets = append(buckets, string(name))
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	file.Close()

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, _ := conn.Query(t.Context(), `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())

	onFile, onServer, err := storage.Nouns(t.Context(), dir, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := names(onFile), names(onServer); a != b {
		t.Errorf("a file moves %s, a server %s", a, b)
	}
	for _, side := range []struct {
		what   string
		stands []string
		nouns  []comments.Noun
		not    []map[string]string
	}{
		{"bucket", buckets, onFile, []map[string]string{boltreaders.NotMoved(), boltmoderators.NotMoved()}},
		{"table", tables, onServer, []map[string]string{pgstore.NotMoved()}},
	} {
		known := map[string]bool{}
		for _, n := range side.nouns {
			for _, name := range n.Holds {
				known[name] = true
			}
		}
		for _, not := range side.not {
			for name, why := range not {
				if known[name] || why == "" {
					t.Errorf("%s %s is moved and is not", side.what, name)
				}
				known[name] = true
			}
		}
		for _, name := range side.stands {
			if !known[name] {
				t.Errorf("%s %s: no noun moves it, and NotMoved does not say why", side.what, name)
			}
			delete(known, name)
		}
		for name := range known {
			t.Errorf("there is no %s %s", side.what, name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, storage.SentinelFile)); err != nil {
		t.Error(err)
	}
}

func names(nouns []comments.Noun) string {
	var list []string
	for _, n := range nouns {
		list = append(list, n.Name)
	}
	return strings.Join(list, ", ")
}
