package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
	"duyet/moderation/screen"
	"duyet/moderation/screen/learn"
)

// What the checks that keep something are given to keep.
const (
	listEntries    = 10_000
	modelDecisions = 2_000
	recentTexts    = 2_000
	screenedSite   = "bench"
)

// screenBench is every check on a store, with lists, a model and recent texts.
type screenBench struct {
	dir   string
	db    *boltstore.DB
	list  *screen.List
	texts []string
}

func newScreenBench(ctx context.Context, in string, texts []string) (_ *screenBench, err error) {
	b := &screenBench{texts: texts}
	if b.dir, err = os.MkdirTemp(in, "duyet-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.db, err = boltstore.Open(ctx, boltstore.Options{
		Path: filepath.Join(b.dir, "duyet.db"), Key: make([]byte, 32), Fingerprint: "bench", Create: true, Installation: "bench",
	})
	if err != nil {
		return nil, err
	}
	store, err := modstore.New(ctx, b.db)
	if err != nil {
		return nil, err
	}
	if _, err = b.db.AddSite(ctx, comments.Site{ID: screenedSite, Settings: comments.DefaultSettings()}, comments.ActorOperator); err != nil {
		return nil, err
	}
	desk := screen.Desk{Documents: store, Queues: store, Now: time.Now,
		Allowed: func(context.Context, moderation.Moderator, moderation.Permission, string) error { return nil }}
	lists, repeats := screen.NewLists(desk), screen.NewRepeats(desk, b.db)
	learner := screen.NewLearner(screen.LearnerConfig{Desk: desk, Journal: b.db, Comments: b.db, Log: slog.New(slog.DiscardHandler)})
	b.list = screen.Default(lists.Check(), repeats.Check(), learner.Check())
	return b, b.fill(ctx, lists, repeats, learner)
}

func (b *screenBench) fill(ctx context.Context, lists *screen.Lists, repeats *screen.Repeats, learner *screen.Learner) error {
	who := moderation.Moderator{ID: comments.ActorOperator, Role: moderation.Owner}
	list := screen.WordList{Site: screenedSite, Name: "bench", Action: screen.HoldWords}
	for i := range listEntries { // syllables that no text has, and their beginnings that many have
		list.Entries = append(list.Entries, screen.Entry{Text: fmt.Sprintf("%s%s %s", pick(i, "ng", "tr", "kh", "đ", "ph"), pick(i/5, "ương", "iệt", "oác", "uyễn"), spell(i))})
	}
	if _, err := lists.Put(ctx, who, list); err != nil {
		return err
	}
	var examples []learn.Example
	for i := range modelDecisions {
		text := b.texts[i%len(b.texts)]
		examples = append(examples, learn.Example{ID: fmt.Sprint(i), Text: text, Positive: i%7 == 0})
	}
	if err := learner.Teach(ctx, screenedSite, examples, comments.ActorOperator); err != nil {
		return err
	}
	for i := range recentTexts {
		id, err := comments.NewID(screenedSite)
		if err != nil {
			return err
		}
		repeats.Observe(comments.Commit{
			Event:   comments.Event{Site: screenedSite, Kind: comments.KindSubmitted, Comment: id, At: time.Now()},
			Comment: comments.Comment{ID: id, Site: screenedSite, Content: b.texts[i%len(b.texts)] + fmt.Sprint(i), CreatedAt: time.Now()},
		})
	}
	return nil
}

func pick(i int, of ...string) string { return of[i%len(of)] }

// spell writes a number in letters.
func spell(i int) string {
	s := ""
	for n := i + 26*26; n > 0; n /= 26 {
		s += string(rune('a' + n%26))
	}
	return s
}

func (b *screenBench) candidate(text string) comments.Candidate {
	now := time.Now()
	return comments.Candidate{
		Site:    comments.Site{ID: screenedSite, Settings: comments.DefaultSettings()},
		Comment: comments.Comment{Site: screenedSite, Page: "p", Name: "Nguyễn Văn An", Title: "Ý kiến về bài viết", Content: text},
		Issued:  now.Add(-time.Minute), Now: now,
	}
}

func (b *screenBench) close() {
	if b.db != nil {
		_ = b.db.Close()
	}
	_ = os.RemoveAll(b.dir)
}
