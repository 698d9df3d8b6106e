package screen

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func (h *house) bans() *Bans {
	d := h.desk()
	d.Addresses, d.Transitions = h.store, h.store
	b := NewBans(d)
	h.db.Observe(b.Observe)
	return b
}

func (h *house) ban(b *Bans, kind BanKind, value string, effect Effect) Ban {
	h.Helper()
	made, err := b.Make(h.Context(), boss, Ban{card: card{Site: "bao"}, Kind: kind, Value: value, Effect: effect, Reason: "quảng cáo"})
	h.must(err)
	return made
}

func TestBans(t *testing.T) {
	for _, tt := range []struct {
		kind  BanKind
		value string
		hits  []comments.Candidate
		not   []comments.Candidate
	}{
		{BanNetwork, "203.0.113.0/24", from("203.0.113.9", "::ffff:203.0.113.1"), from("203.0.114.1", "2001:db8::1", "")},
		{BanNetwork, "203.0.113.9", from("203.0.113.9"), from("203.0.113.10")},
		{BanNetwork, "[2001:db8::1]", from("2001:db8::1"), from("2001:db8::2")},
		{BanNetwork, "2001:db8::/48", from("2001:db8:0:1::1"), from("2001:db8:1::1")},
		{BanName, "Phòng Vé *", named("phong ve 24h", "PHÒNG  VÉ 24h", "Phòng vé Hà Nội"), named("Phòng", "Vé phòng vé 24h")},
		{BanEmail, "@Spam.example", saying("viết cho tôi: a.b@spam.example nhé", "x@mail.spam.example"), saying("a@notspam.example", "spam.example")},
		{BanLink, "https://casino.example/x", saying("xem https://www.casino.example/ngay", "casino.example.com hay http://casino.example"), saying("https://mycasino.example/", "casino . example")},
		{BanLink, "bánh.vn", saying("https://xn--bnh-ela.vn/"), saying("https://banh.vn/")},
		{BanText, "Mua ngay kẻo hết hàng!", saying("MUA NGAY, kẻo... hết hàng", "mua ngay keo het hang"), saying("Mua ngay kẻo hết")},
	} {
		t.Run(string(tt.kind)+" "+tt.value, func(t *testing.T) {
			h := newHouse(t)
			b := h.bans()
			made := h.ban(b, tt.kind, tt.value, EffectSpam)
			for _, c := range tt.hits {
				s := look(t, b.Check(), c)
				if len(s) != 1 || s[0].Level != comments.LevelSpam || s[0].Code != string(tt.kind) || s[0].Args["ban"] != made.ID || s[0].Args["why"] != "quảng cáo" {
					t.Errorf("%q from %s: %+v", c.Comment.Content, c.Addr, s)
				}
			}
			for _, c := range tt.not {
				if s := look(t, b.Check(), c); s != nil {
					t.Errorf("%q from %s: %+v", c.Comment.Content, c.Addr, s)
				}
			}
			if again, err := made.canonical(); err != nil || again.Value != made.Value {
				t.Errorf("a ban is not canonical: %q, %v", again.Value, err)
			}
		})
	}
}

func from(addrs ...string) (list []comments.Candidate) {
	for _, a := range addrs {
		c := saying("một lá thư")[0]
		c.Addr, _ = netip.ParseAddr(a)
		list = append(list, c)
	}
	return list
}

func named(names ...string) (list []comments.Candidate) {
	for _, n := range names {
		c := saying("một lá thư")[0]
		c.Comment.Name = n
		list = append(list, c)
	}
	return list
}

func saying(texts ...string) (list []comments.Candidate) {
	for _, text := range texts {
		c := letter(text)
		c.Site, c.Comment.Site = comments.Site{ID: "bao"}, "bao"
		list = append(list, c)
	}
	return list
}

func TestBadBans(t *testing.T) {
	h := newHouse(t)
	b := h.bans()
	for _, tt := range []struct {
		ban  Ban
		code string
	}{
		{Ban{Kind: BanNetwork, Value: "", Effect: EffectHold}, comments.CodeRequired},
		{Ban{Kind: BanNetwork, Value: "nhà", Effect: EffectHold}, CodeNoNetwork},
		{Ban{Kind: BanNetwork, Value: "0.0.0.0/0", Effect: EffectHold}, CodeTooWide},
		{Ban{Kind: BanNetwork, Value: "::/0", Effect: EffectHold}, CodeTooWide},
		{Ban{Kind: BanName, Value: "**", Effect: EffectHold}, CodeTooWide},
		{Ban{Kind: BanName, Value: strings.Repeat("a", BanValueMost+1), Effect: EffectHold}, comments.CodeTooLong},
		{Ban{Kind: BanEmail, Value: "example", Effect: EffectHold}, CodeNoDomain},
		{Ban{Kind: BanText, Value: "hay!", Effect: EffectHold}, CodeTooShort},
		{Ban{Kind: "colour", Value: "red", Effect: EffectHold}, comments.CodeWrongType},
		{Ban{Kind: BanName, Value: "An", Effect: "refuse"}, comments.CodeWrongType},
	} {
		tt.ban.Site = "bao"
		var invalid *comments.InvalidError
		if _, err := b.Make(t.Context(), boss, tt.ban); !errors.As(err, &invalid) || !invalid.Has(tt.code) {
			t.Errorf("%s %q: %v, want %s", tt.ban.Kind, tt.ban.Value, err, tt.code)
		}
	}
	viewer := moderation.Moderator{ID: "m-viewer", Role: moderation.Viewer}
	if _, err := b.Make(t.Context(), viewer, Ban{card: card{Site: "bao"}, Kind: BanName, Value: "An", Effect: EffectHold}); !errors.Is(err, comments.ErrForbidden) {
		t.Errorf("a viewer bans: %v", err)
	}
}

func TestBanExpiresAndIsLifted(t *testing.T) {
	h := newHouse(t)
	b := h.bans()
	c := from("203.0.113.9")[0]
	c.Now = h.now
	made, err := b.Make(t.Context(), boss, Ban{card: card{Site: "bao"}, Kind: BanNetwork, Value: "203.0.113.9", Effect: EffectHold, Expires: h.now.Add(time.Hour)})
	h.must(err)
	if s := look(t, b.Check(), c); len(s) != 1 || s[0].Level != comments.LevelHold {
		t.Errorf("%+v", s)
	}
	c.Now = h.now.Add(time.Hour)
	if s := look(t, b.Check(), c); s != nil {
		t.Errorf("after its time: %+v", s)
	}
	c.Now = h.now
	list, err := b.All(t.Context(), boss, "bao")
	if err != nil || len(list) != 1 || list[0].By != boss.ID || list[0].At.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := b.Lift(t.Context(), boss, "bao", made.ID, made.Version+1, false); !errors.Is(err, comments.ErrVersion) {
		t.Errorf("at another version: %v", err)
	}
	if _, err := b.Lift(t.Context(), boss, "bao", made.ID, made.Version, false); err != nil {
		t.Error(err)
	}
	if s := look(t, b.Check(), c); s != nil {
		t.Errorf("lifted: %+v", s)
	}
}

// TestLiftBringsBack what the ban alone laid with the spam, and nothing that somebody has
// looked at or that something else hit.
func TestLiftBringsBack(t *testing.T) {
	h := newHouse(t)
	b := h.bans()
	made := h.ban(b, BanName, "An", EffectSpam)
	other := h.ban(b, BanName, "A*", EffectSpam)
	post := func(bans ...Ban) comments.Comment {
		t.Helper()
		id, err := comments.NewID("bao")
		h.must(err)
		c := comments.Comment{ID: id, Site: "bao", Page: "p", Name: "An", Content: "c", Lang: "vi", Status: comments.Spam, CreatedAt: h.now}
		for _, one := range bans {
			c.Signals = append(c.Signals, comments.Signal{Check: comments.CheckBan, Level: comments.LevelSpam, Code: "name", Args: map[string]string{"ban": one.ID}})
		}
		c, _, err = h.db.Create(t.Context(), comments.Creation{Comment: c, Page: comments.Page{Site: "bao", Key: "p", CreatedAt: h.now}, Actor: comments.ActorReader})
		h.must(err)
		return c
	}
	back, both, looked := post(made), post(made, other), post(made)
	h.decide(h.decide(looked, comments.Pending), comments.Spam)
	n, err := b.Lift(t.Context(), boss, "bao", made.ID, made.Version, true)
	if err != nil || n != 1 {
		t.Errorf("%d are brought back, %v", n, err)
	}
	for c, want := range map[comments.ID]comments.Status{back.ID: comments.Pending, both.ID: comments.Spam, looked.ID: comments.Spam} {
		if got, err := h.db.Comment(t.Context(), c); err != nil || got.Status != want {
			t.Errorf("%s is %s, %v; want %s", c, got.Status, err, want)
		}
	}
}

func TestBanWouldHave(t *testing.T) {
	h := newHouse(t)
	b := h.bans()
	h.post("mua ở https://casino.example nhé", comments.Spam)
	h.post("mua ở https://casino.example nữa", comments.Pending)
	h.post("chào", comments.Approved)
	id, err := comments.NewID("bao")
	h.must(err)
	_, _, err = h.db.Create(t.Context(), comments.Creation{
		Comment: comments.Comment{ID: id, Site: "bao", Page: "p", Name: "An", Content: "c", Lang: "vi", Status: comments.Approved, CreatedAt: h.now},
		Page:    comments.Page{Site: "bao", Key: "p", CreatedAt: h.now}, Actor: comments.ActorReader,
		Author: comments.Author{Addr: netip.MustParseAddr("203.0.113.9"), Expires: h.now.Add(time.Hour)},
	})
	h.must(err)
	p, err := b.WouldHave(t.Context(), boss, Ban{card: card{Site: "bao"}, Kind: BanLink, Value: "casino.example", Effect: EffectHold})
	if err != nil || p.Looked != 4 || p.Hits != 2 || p.ByStatus.Spam != 1 || p.ByStatus.Pending != 1 || len(p.Examples) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = b.WouldHave(t.Context(), boss, Ban{card: card{Site: "bao"}, Kind: BanNetwork, Value: "203.0.113.0/24", Effect: EffectHold})
	if err != nil || p.Hits != 1 || p.ByStatus.Approved != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func FuzzBan(f *testing.F) {
	f.Add("network", "203.0.113.0/24")
	f.Add("name", "a*(b")
	f.Add("link", "https://[::1]/")
	f.Add("email", "@@")
	f.Add("text", "\u0301\u0301aaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, kind, value string) {
		b, err := Ban{Kind: BanKind(kind), Value: value, Effect: EffectHold}.canonical()
		if err != nil {
			return
		}
		again, err := b.canonical()
		if err != nil || again.Value != b.Value {
			t.Errorf("%s %q became %q and then %q, %v", kind, value, b.Value, again.Value, err)
		}
		newBanned([]Ban{b}).find(comments.Comment{Name: value, Content: value}, netip.Addr{}, time.Time{})
	})
}

// TestBannedAtSubmit: a banned comment goes straight to the spam, all the way in, with what
// found it.
func TestBannedAtSubmit(t *testing.T) {
	h := newHouse(t)
	b, r := h.bans(), h.rules()
	_, err := r.Put(t.Context(), boss, rule(EffectSpam, Condition{FactName, OpIs, "Bình"}))
	h.must(err)
	h.ban(b, BanName, "an", EffectSpam)
	svc := comments.NewService(comments.Config{
		Store: h.db, Tickets: open{h: h}, Judge: right{}, Screener: Ruled{New(b.Check()), r}, Receipts: none{}, Now: func() time.Time { return h.now },
	})
	site, err := svc.Site(t.Context(), "bao")
	h.must(err)
	site.Origins, site.Settings.RateLimit = []string{"https://bao.example"}, false
	for i, tt := range []struct {
		name, check string
		status      comments.Status
	}{{"AN", comments.CheckBan, comments.Spam}, {"Bình", comments.CheckRule, comments.Spam}, {"Chi", "", comments.Pending}} {
		done, err := svc.Submit(t.Context(), site, comments.Submission{
			Page: "https://bao.example/bai", Name: tt.name, Title: "Góp ý", Content: "Bài rất hay.", Ticket: string(rune('a' + i)), Code: "1", Lang: "vi",
		})
		if err != nil || done.Comment.Status != tt.status {
			t.Errorf("%s: %s, %v", tt.name, done.Comment.Status, err)
			continue
		}
		if s := done.Comment.Signals; tt.check != "" && (len(s) != 1 || s[0].Check != tt.check) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

type open struct {
	comments.Tickets
	h *house
}

func (o open) Open(text string) (comments.Ticket, error) {
	page := comments.PageHash("bao", "https://bao.example/bai")
	return comments.Ticket{ID: comments.TicketID{text[0]}, Site: "bao", Page: page, Issued: o.h.now.Add(-time.Minute), Expires: o.h.now.Add(time.Hour)}, nil
}

type right struct{}

func (right) Judge(context.Context, comments.Ticket, string) (comments.Verdict, error) {
	return comments.VerdictRight, nil
}
func (right) Dead(context.Context, comments.TicketID) (bool, error) { return false, nil }

type none struct{ comments.Receipts }

func (none) Issue(comments.ID) (string, error) { return "receipt", nil }
