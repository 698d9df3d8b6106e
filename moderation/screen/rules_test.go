package screen

import (
	"context"
	"errors"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

func (h *house) rules() *Rules {
	r := NewRules(h.desk(), h.db, h.db)
	h.db.Observe(r.Observe)
	return r
}

func rule(then Effect, when ...Condition) Rule {
	return Rule{card: card{Site: "bao"}, Name: "thử", When: when, Then: then}
}

func TestRules(t *testing.T) {
	site := comments.Site{ID: "bao", Settings: comments.DefaultSettings()}
	c := comments.Candidate{Site: site, Comment: comments.Comment{
		Site: "bao", Page: "https://bao.example/the-thao/1", Name: "An", Title: "Góp ý", Lang: "vi", Parent: "x",
		Content: "Xem https://a.example và https://b.example", CreatedAt: noon.UTC(), // 12:00 in Vietnam
	}}
	signals := []comments.Signal{{Check: "contacts", Level: comments.LevelInfo, Code: "phone"}}
	for _, tt := range []struct {
		when Condition
		want bool
	}{
		{Condition{FactLinks, OpMore, "1"}, true},
		{Condition{FactLinks, OpMore, "2"}, false},
		{Condition{FactLinks, OpLess, "3"}, true},
		{Condition{FactLength, OpMore, "41"}, true},
		{Condition{FactLength, OpMore, "42"}, false},
		{Condition{FactPage, OpBegins, "https://bao.example/the-thao/"}, true},
		{Condition{FactPage, OpBegins, "https://bao.example/kinh-te/"}, false},
		{Condition{FactName, OpIs, "An"}, true},
		{Condition{FactName, OpNot, "An"}, false},
		{Condition{FactTitle, OpContains, "gop"}, true},
		{Condition{FactText, OpContains, "c.example"}, false},
		{Condition{FactLang, OpIs, "vi"}, true},
		{Condition{FactReply, OpIs, ""}, true},
		{Condition{FactReply, OpNot, ""}, false},
		{Condition{FactSignal, OpIs, "contacts"}, true},
		{Condition{FactSignal, OpNot, "contacts"}, false},
		{Condition{FactSignal, OpIs, "trap"}, false},
	} {
		h := newHouse(t)
		r := h.rules()
		put, err := r.Put(t.Context(), boss, rule(EffectTwo, tt.when))
		if err != nil {
			t.Errorf("%v: %v", tt.when, err)
			continue
		}
		found := fixed(signals)
		screening, err := Ruled{found, r}.Screen(t.Context(), c)
		got := screening.Signals
		if err != nil || (len(got) == 2) != tt.want {
			t.Errorf("%v: %+v, %v", tt.when, got, err)
			continue
		}
		if tt.want {
			if s := got[1]; s.Check != comments.CheckRule || s.Level != comments.LevelHold || s.Code != "two" || s.Args["rule"] != put.ID || s.Args["name"] != "thử" {
				t.Errorf("%+v", s)
			}
		}
	}
}

// fixed is a Screener that always finds the same.
type fixed []comments.Signal

func (f fixed) Screen(context.Context, comments.Candidate) (comments.Screening, error) {
	return comments.Screening{Signals: f}, nil
}

// TestAllConditions have to hold, and a rule that is off does nothing.
func TestAllConditions(t *testing.T) {
	h := newHouse(t)
	r := h.rules()
	c := h.candidate("một hai ba")
	c.Site.Settings = comments.DefaultSettings()
	n := func() int {
		t.Helper()
		got, err := Ruled{fixed(nil), r}.Screen(t.Context(), c)
		h.must(err)
		return len(got.Signals)
	}
	one, err := r.Put(t.Context(), boss, rule(EffectHold, Condition{FactLength, OpMore, "5"}, Condition{FactLinks, OpMore, "0"}))
	h.must(err)
	if n() != 0 {
		t.Error("one of two conditions is enough")
	}
	one.When[1] = Condition{FactLinks, OpLess, "1"}
	if one, err = r.Put(t.Context(), boss, one); err != nil || n() != 1 {
		t.Errorf("both hold: %d, %v", n(), err)
	}
	one.Off = true
	if one, err = r.Put(t.Context(), boss, one); err != nil || n() != 0 {
		t.Errorf("off: %d, %v", n(), err)
	}
	h.must(r.Remove(t.Context(), boss, "bao", one.ID, one.Version))
	if list, err := r.All(t.Context(), boss, "bao"); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

type unreadable struct{ moderation.DocumentStore }

func (unreadable) Documents(context.Context, string, string) ([]moderation.Document, error) {
	return nil, comments.ErrUnavailable
}

// TestRulesCanNotBeRead: then the comment is held.
func TestRulesCanNotBeRead(t *testing.T) {
	h := newHouse(t)
	d := h.desk()
	d.Documents = unreadable{d.Documents}
	screening, err := Ruled{fixed(nil), NewRules(d, h.db, h.db)}.Screen(t.Context(), h.candidate("a"))
	got := screening.Signals
	if err != nil || len(got) != 1 || got[0].Code != NotChecked || got[0].Level != comments.LevelHold {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBadRules(t *testing.T) {
	h := newHouse(t)
	r := h.rules()
	for code, bad := range map[string]Rule{
		CodeUnknownFact:        rule(EffectHold, Condition{"colour", OpIs, "red"}),
		CodeUnknownOp:          rule(EffectHold, Condition{FactLinks, OpBegins, "1"}),
		CodeNoNumber:           rule(EffectHold, Condition{FactLinks, OpMore, "many"}),
		comments.CodeRequired:  rule(EffectHold),
		comments.CodeWrongType: rule("refuse", Condition{FactReply, OpIs, ""}),
		comments.CodeTooLong:   rule(EffectHold, make([]Condition, ConditionsMost+1)...),
	} {
		var invalid *comments.InvalidError
		if _, err := r.Put(t.Context(), boss, bad); !errors.As(err, &invalid) || !invalid.Has(code) {
			t.Errorf("want %s, got %v", code, err)
		}
	}
	editor := moderation.Moderator{ID: "m-editor", Role: moderation.Editor}
	if _, err := r.Put(t.Context(), editor, rule(EffectHold, Condition{FactReply, OpIs, ""})); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("a moderator changes rules: %v", err)
	}
}

func TestSimulate(t *testing.T) {
	h := newHouse(t)
	r := h.rules()
	for i, status := range []comments.Status{comments.Approved, comments.Approved, comments.Rejected, comments.Pending} {
		h.post([]string{"xem https://a.example", "xem https://b.example", "xem https://c.example", "xem gì"}[i], status)
	}
	p, err := r.Simulate(t.Context(), boss, rule(EffectHold, Condition{FactLinks, OpMore, "0"}))
	if err != nil || p.Looked != 4 || p.Hits != 3 || p.ByStatus.Approved != 2 || p.ByStatus.Rejected != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestNewAuthor: an author is new until something of theirs is approved, and the past is
// told as it stood when each comment came.
func TestNewAuthor(t *testing.T) {
	h := newHouse(t)
	r := h.rules()
	_, err := r.Put(t.Context(), boss, rule(EffectHold, Condition{FactNew, OpIs, ""}))
	h.must(err)
	met := func(key comments.AuthorKey) bool {
		t.Helper()
		c := h.candidate("một hai ba")
		c.Site.Settings, c.Comment.Author = comments.DefaultSettings(), key
		id, err := comments.NewID("bao")
		h.must(err)
		c.Comment.ID = id
		got, err := Ruled{fixed(nil), r}.Screen(t.Context(), c)
		h.must(err)
		return len(got.Signals) == 1 && got.Signals[0].Code == "hold"
	}
	key := comments.AuthorKey{1}
	write := func(status comments.Status) {
		t.Helper()
		id, err := comments.NewID("bao")
		h.must(err)
		c := h.candidate("một hai ba").Comment
		c.ID, c.Author, c.Status, c.CreatedAt = id, key, status, h.now
		_, _, err = h.db.Create(t.Context(), comments.Creation{
			Comment: c, Page: comments.Page{Site: "bao", Key: c.Page, CreatedAt: h.now}, Actor: comments.ActorReader,
		})
		h.must(err)
	}
	for _, status := range []comments.Status{comments.Pending, comments.Rejected, comments.Spam} {
		write(status)
		if !met(key) {
			t.Errorf("with one %s an author is no longer new", status)
		}
	}
	write(comments.Approved)
	if met(key) {
		t.Error("with one approved an author is still new")
	}
	if !met(comments.AuthorKey{2}) || !met(comments.AuthorKey{}) {
		t.Error("somebody else, or nobody known, is not new")
	}
	write(comments.Approved)
	past, err := r.Simulate(t.Context(), boss, rule(EffectHold, Condition{FactNew, OpIs, ""}))
	if err != nil || past.Looked != 5 || past.Hits != 4 || past.ByStatus.Approved != 1 {
		t.Errorf("%+v, %v", past, err)
	}
	d := h.desk()
	screening, _ := Ruled{fixed(nil), NewRules(d, h.db, nobody{})}.Screen(t.Context(), h.candidate("a"))
	if len(screening.Signals) != 1 || screening.Signals[0].Code != "hold" {
		t.Errorf("without a key nobody is asked: %+v", screening.Signals)
	}
	c := h.candidate("a")
	c.Comment.Author = key
	screening, _ = Ruled{fixed(nil), NewRules(d, h.db, nobody{})}.Screen(t.Context(), c)
	if len(screening.Signals) != 1 || screening.Signals[0].Code != NotChecked {
		t.Errorf("an author who can't be asked about: %+v", screening.Signals)
	}
}

type nobody struct{}

func (nobody) Written(context.Context, comments.Wrote, comments.ID, int) ([]comments.Comment, error) {
	return nil, comments.ErrUnavailable
}
