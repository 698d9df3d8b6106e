package pgstore_test

import (
	"testing"
	"time"

	core "duyet/comments"
	"duyet/comments/pgstore/pgtest"
	"duyet/moderation"
)

// TestLostAnswers: what stands for itself, outside any journal, may be asked twice.
func TestLostAnswers(t *testing.T) {
	p := pgtest.NewProxy(t, &cluster)
	_, s := open(t, p.Database(t))
	ctx := t.Context()
	if _, err := s.AddModerator(ctx, moderation.Moderator{ID: "m-1", Email: "a@example.org", Role: moderation.Owner}, core.ActorOperator); err != nil {
		t.Fatal(err)
	}
	hash, expires := moderation.HashOf("x"), time.Now().Add(time.Hour)
	lost := 0
	losing := func(tag string, do func() error) {
		t.Helper()
		p.LoseAnswersTo(tag, 1)
		if err := do(); err != nil {
			t.Errorf("answer %q lost: %v", tag, err)
		}
		if lost++; p.Lost() != lost {
			t.Errorf("%q was not lost", tag)
		}
	}
	losing("INSERT 0 1", func() error {
		return s.AddLink(ctx, moderation.Link{Hash: hash, Moderator: "m-1", Expires: expires})
	})
	losing("UPDATE 1", func() error {
		l, err := s.SpendLink(ctx, hash)
		if l.Moderator != "m-1" {
			t.Errorf("link %+v", l)
		}
		return err
	})
	if _, err := s.SpendLink(ctx, hash); err == nil {
		t.Error("the link was spent twice")
	}
	losing("INSERT 0 1", func() error { return s.PutSession(ctx, hash, []byte("s"), expires) })
	losing("DELETE 1", func() error { return s.RemoveSession(ctx, hash) })
	d := moderation.Document{Site: core.Installation, Kind: "model", ID: "a", Data: []byte("1"), By: core.ActorSystem}
	for _, tag := range []string{"INSERT 0 1", "UPDATE 1", "UPDATE 1"} {
		losing(tag, func() (err error) {
			d, err = s.PutDocument(ctx, d, "")
			return err
		})
	}
	if d.Version != 3 {
		t.Errorf("put three times, the document is at version %d", d.Version)
	}
	losing("COMMIT", func() (err error) {
		d, err = s.PutDocument(ctx, d, "model.changed")
		return err
	})
	token := moderation.Token{Hash: hash, Moderator: "m-1", CreatedAt: time.Now()}
	losing("COMMIT", func() error { return s.AddToken(ctx, token, core.ActorOperator) })
	losing("COMMIT", func() error { return s.SignedIn(ctx, "m-1", moderation.KindSignedIn) })
	losing("COMMIT", func() error { return s.RemoveModerator(ctx, "m-1", core.ActorOperator) })
}
