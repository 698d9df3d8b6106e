package screen

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"duyet/comments"
	"duyet/comments/boltstore"
	"duyet/moderation"
	modstore "duyet/moderation/boltstore"
)

// house is a store of both wings with a site, and what screening needs of it.
type house struct {
	*testing.T
	db    *boltstore.DB
	store *modstore.Store
	now   time.Time
}

var boss = moderation.Moderator{ID: "m-boss", Role: moderation.Admin}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, now: noon}
	var err error
	h.db, err = boltstore.Open(t.Context(), boltstore.Options{
		Path: filepath.Join(t.TempDir(), "duyet.db"), Create: true, Installation: "test", Fingerprint: "fingerprint",
		Key: []byte("0123456789abcdef0123456789abcdef"), Now: func() time.Time { return h.now },
	})
	h.must(err)
	t.Cleanup(func() { h.must(h.db.Close()) })
	h.store, err = modstore.New(t.Context(), h.db)
	h.must(err)
	_, err = h.db.AddSite(t.Context(), comments.Site{ID: "bao", Settings: comments.DefaultSettings()}, comments.ActorOperator)
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) desk() Desk {
	return Desk{
		Documents: h.store, Queues: h.store, Now: func() time.Time { return h.now },
		Allowed: func(_ context.Context, who moderation.Moderator, p moderation.Permission, site string) error {
			if !who.May(p, site) {
				return comments.ErrForbidden
			}
			return nil
		},
	}
}

// post stores a comment, which nothing has looked at.
func (h *house) post(content string, status comments.Status) comments.Comment {
	h.Helper()
	id, err := comments.NewID("bao")
	h.must(err)
	page := "https://bao.example/1"
	c, _, err := h.db.Create(h.Context(), comments.Creation{
		Comment: comments.Comment{ID: id, Site: "bao", Page: page, Name: "An", Content: content, Lang: "vi", Status: status, CreatedAt: h.now},
		Page:    comments.Page{Site: "bao", Key: page, URL: page, CreatedAt: h.now}, Actor: comments.ActorReader,
	})
	h.must(err)
	return c
}

// decide moves a comment as a moderator would.
func (h *house) decide(c comments.Comment, to comments.Status) comments.Comment {
	h.Helper()
	done, err := h.store.Transition(h.Context(), []moderation.Change{{ID: c.ID, Actor: boss.ID,
		Decide: func(comments.Comment, comments.Transition) (*moderation.Step, error) {
			return &moderation.Step{To: to, Kind: comments.KindDecided}, nil
		}}})
	h.must(err)
	h.must(done[0].Err)
	return done[0].Comment
}

func (h *house) candidate(content string) comments.Candidate {
	c := letter(content)
	c.Site = comments.Site{ID: "bao"}
	c.Comment.Site, c.Comment.Page = "bao", "https://bao.example/1"
	return c
}

func TestLists(t *testing.T) {
	h := newHouse(t)
	lists := NewLists(h.desk())
	h.db.Observe(lists.Observe)
	find := func(content string) []comments.Signal {
		t.Helper()
		return look(t, lists.Check(), h.candidate(content))
	}
	if got := find("đồ ngu"); got != nil {
		t.Errorf("without a list: %+v", got)
	}
	hold, err := lists.Put(t.Context(), boss, WordList{Site: "bao", Name: "Thô tục", Lang: "vi", Action: HoldWords,
		Entries: ParseEntries("ngu\n# lời nhận xét\n\nngu\n!ngu ngơ\n")})
	h.must(err)
	if len(hold.Entries) != 2 || hold.Version != 1 || hold.ID == "" {
		t.Errorf("stored as %+v", hold)
	}
	_, err = lists.Put(t.Context(), boss, WordList{Site: comments.Installation, Name: "Cờ bạc", Action: SpamWords, Entries: ParseEntries("nhà cái")})
	h.must(err)
	_, err = lists.Put(t.Context(), boss, WordList{Site: "bao", Name: "Nhắc", Action: HintWords, Hint: "Xin nói nhẹ hơn.", Entries: ParseEntries("~thằng")})
	h.must(err)

	got := find("Thang nay n.g.u quá, vào nhà cái đi, ngu ngơ thật")
	if !slices.Equal(names(got), []string{"words.spam.spam", "words.hold.hold", "words.hint.hold"}) {
		t.Fatalf("found %v", names(got))
	}
	if got[1].Args["words"] != "ngu" || len(got[1].Places) != 1 || got[2].Args["hint"] != "Xin nói nhẹ hơn." {
		t.Errorf("signals %+v", got)
	}
	// What is changed, or switched off, counts at once.
	hold.Off = true
	hold, err = lists.Put(t.Context(), boss, hold)
	h.must(err)
	if got := find("đồ ngu"); got != nil {
		t.Errorf("switched off: %+v", got)
	}
	stale := hold
	stale.Version--
	if _, err := lists.Put(t.Context(), boss, stale); !errors.Is(err, comments.ErrVersion) {
		t.Errorf("a stale list: %v", err)
	}
	h.must(lists.Remove(t.Context(), boss, "bao", hold.ID, hold.Version))
	all, err := lists.All(t.Context(), boss, "bao")
	if err != nil || len(all) != 2 {
		t.Errorf("left are %+v, %v", all, err)
	}
}

func TestListsRefuse(t *testing.T) {
	h := newHouse(t)
	lists := NewLists(h.desk())
	good := WordList{Site: "bao", Name: "x", Action: HoldWords, Entries: []Entry{{Text: "ngu"}}}
	for _, who := range []moderation.Moderator{{Role: moderation.Editor}, {Role: moderation.Admin, Sites: []string{"khac"}}} {
		if _, err := lists.Put(t.Context(), who, good); !errors.Is(err, comments.ErrForbidden) {
			t.Errorf("%+v may change lists: %v", who, err)
		}
	}
	for name, spoil := range map[string]func(*WordList){
		"name": func(l *WordList) { l.Name = " " }, "action": func(l *WordList) { l.Action = "refuse" },
		"lang": func(l *WordList) { l.Lang = "fr" }, "entries[1]": func(l *WordList) { l.Entries = []Entry{{Text: "ngu"}, {Text: "!!!"}} },
	} {
		bad := good
		spoil(&bad)
		_, err := lists.Put(t.Context(), boss, bad)
		var invalid *comments.InvalidError
		if !errors.As(err, &invalid) || invalid.Fields[0].Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListsLookBack(t *testing.T) {
	h := newHouse(t)
	lists := NewLists(h.desk())
	h.now = noon.Add(-40 * 24 * time.Hour)
	h.post("nhà cái cũ", comments.Spam)
	h.now = noon.Add(-time.Hour)
	h.post("vào nhà cái đi", comments.Spam)
	h.post("nhà cái lại đến", comments.Pending)
	last := h.post("Nha cai? NHÀ CÁI!", comments.Approved)
	h.post("nhà của tôi", comments.Approved)
	h.now = noon
	past, err := lists.WouldHave(t.Context(), boss, WordList{Site: "bao", Name: "x", Action: SpamWords, Entries: ParseEntries("nhà cái")})
	h.must(err)
	want := comments.Counts{Spam: 1, Pending: 1, Approved: 1}
	if past.Looked != 4 || past.Hits != 3 || past.ByStatus != want || past.Cut {
		t.Errorf("%+v", past)
	}
	if !slices.ContainsFunc(past.Examples, func(e PastHit) bool { return e.Comment.ID == last.ID && len(e.Words) == 1 }) {
		t.Errorf("examples %+v", past.Examples)
	}
	hits, err := lists.Try(t.Context(), boss, "bao", "n h à c á i", &WordList{Site: "bao", Name: "x", Action: SpamWords, Entries: ParseEntries("nhà cái")})
	if err != nil || len(hits) != 1 || !hits[0].Disguised {
		t.Errorf("tried: %+v, %v", hits, err)
	}
}

func TestEntriesAsTyped(t *testing.T) {
	typed := "ngu\n~dit me\n*bet*\n!~*ngu ngơ*"
	entries := ParseEntries(typed)
	want := []Entry{{Text: "ngu"}, {Text: "dit me", Loose: true}, {Text: "bet", Inside: true}, {Text: "ngu ngơ", Allow: true, Loose: true, Inside: true}}
	if !slices.Equal(entries, want) {
		t.Fatalf("%+v", entries)
	}
	for i, line := range []string{"ngu", "~dit me", "*bet*", "!~*ngu ngơ*"} {
		if got := FormatEntry(entries[i]); got != line {
			t.Errorf("%q is written %q", line, got)
		}
	}
}

func FuzzParseEntries(f *testing.F) {
	f.Add("ngu\n!~*x*\n#\n**\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range ParseEntries(text) {
			if again := ParseEntries(FormatEntry(e)); len(again) > 1 {
				t.Errorf("%+v is read back as %+v", e, again)
			}
		}
	})
}
