package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

func person(id, email string) moderation.Moderator {
	return moderation.Moderator{ID: id, Email: email, Role: moderation.Editor, Sites: []string{"news"},
		PasswordHash: "$argon2id$x", CreatedAt: start}
}

func (b *bench) add(id, email string) moderation.Moderator {
	b.T.Helper()
	m, err := b.desk.AddModerator(b.Ctx, person(id, email), comments.ActorOperator)
	b.Must(err)
	return m
}

func people(t *testing.T, b *bench) {
	list, err := b.desk.Moderators(b.Ctx)
	b.Must(err)
	if len(list) != 0 {
		t.Fatalf("moderators of an empty store: %v", list)
	}
	_, err = b.desk.Moderator(b.Ctx, "m-1")
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.ModeratorByEmail(b.Ctx, "a@example.org")
	b.Is(err, comments.ErrNotFound)

	want := person("m-1", "c@example.org")
	want.Version = 1
	want.Disabled = true
	want.SignedOutAt = start.Add(time.Hour)
	added := want
	added.Version = 0
	got, err := b.desk.AddModerator(b.Ctx, added, "m-0")
	b.Must(err)
	b.Equal("added", got, want)
	got, err = b.desk.Moderator(b.Ctx, "m-1")
	b.Must(err)
	b.Equal("by id", got, want)
	got, err = b.desk.ModeratorByEmail(b.Ctx, "c@example.org")
	b.Must(err)
	b.Equal("by e-mail", got, want)
	if e := b.lastEvent(); e.Kind != moderation.KindModeratorAdded || e.Subject != "m-1" || e.Actor != "m-0" {
		t.Fatalf("event: %+v", e)
	}
	before := b.Head(comments.Installation)
	_, err = b.desk.AddModerator(b.Ctx, person("m-2", "c@example.org"), "m-0")
	b.Is(err, comments.ErrExists)
	b.Unchanged(comments.Installation, before)
	_, err = b.desk.Moderator(b.Ctx, "m-2")
	b.Is(err, comments.ErrNotFound)

	b.add("m-3", "a@example.org")
	b.add("m-2", "b@example.org")
	list, err = b.desk.Moderators(b.Ctx)
	b.Must(err)
	var ids []string
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	b.Equal("by e-mail", ids, []string{"m-3", "m-2", "m-1"})
	b.Verify()
}

func peopleVersions(t *testing.T, b *bench) {
	m := b.add("m-1", "a@example.org")
	b.add("m-2", "b@example.org")
	stale := m
	m.Role, m.Sites, m.Email = moderation.Admin, nil, "z@example.org"
	changed, err := b.desk.ChangeModerator(b.Ctx, m, "operator", moderation.KindPasswordChanged)
	b.Must(err)
	if changed.Version != 2 || changed.Role != moderation.Admin {
		t.Fatalf("changed: %+v", changed)
	}
	got, err := b.desk.ModeratorByEmail(b.Ctx, "z@example.org")
	b.Must(err)
	b.Equal("by the new e-mail", got, changed)
	_, err = b.desk.ModeratorByEmail(b.Ctx, "a@example.org")
	b.Is(err, comments.ErrNotFound)
	if e := b.lastEvent(); e.Kind != moderation.KindPasswordChanged || e.Subject != "m-1" {
		t.Fatalf("event: %+v", e)
	}
	before := b.Head(comments.Installation)
	_, err = b.desk.ChangeModerator(b.Ctx, stale, "operator", moderation.KindModeratorChanged)
	b.Is(err, comments.ErrVersion)
	changed.Email = "b@example.org"
	_, err = b.desk.ChangeModerator(b.Ctx, changed, "operator", moderation.KindModeratorChanged)
	b.Is(err, comments.ErrExists)
	changed.ID = "m-9"
	_, err = b.desk.ChangeModerator(b.Ctx, changed, "operator", moderation.KindModeratorChanged)
	b.Is(err, comments.ErrNotFound)
	b.Unchanged(comments.Installation, before)
}

func peopleRemoval(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	b.add("m-2", "b@example.org")
	for i, id := range []string{"m-1", "m-2"} {
		b.Must(b.desk.AddToken(b.Ctx, moderation.Token{Hash: moderation.Hash{byte(i), 1}, Moderator: id, CreatedAt: start}, "operator"))
		b.Must(b.desk.AddLink(b.Ctx, moderation.Link{Hash: moderation.Hash{byte(i), 2}, Moderator: id, Expires: start}))
	}
	b.Must(b.desk.RemoveModerator(b.Ctx, "m-1", "operator"))
	b.Is(b.desk.RemoveModerator(b.Ctx, "m-1", "operator"), comments.ErrNotFound)
	if e := b.lastEvent(); e.Kind != moderation.KindModeratorRemoved || e.Subject != "m-1" {
		t.Fatalf("event: %+v", e)
	}
	_, err := b.desk.Moderator(b.Ctx, "m-1")
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.ModeratorByEmail(b.Ctx, "a@example.org")
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.Token(b.Ctx, moderation.Hash{0, 1})
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.Link(b.Ctx, moderation.Hash{0, 2})
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.Token(b.Ctx, moderation.Hash{1, 1})
	b.Must(err)
	_, err = b.desk.Link(b.Ctx, moderation.Hash{1, 2})
	b.Must(err)
	b.add("m-3", "a@example.org") // the address is free again
	b.Verify()
}

func tokens(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	want := moderation.Token{Hash: moderation.HashOf("x"), Moderator: "m-1", CreatedAt: start}
	_, err := b.desk.Token(b.Ctx, want.Hash)
	b.Is(err, comments.ErrNotFound)
	b.Must(b.desk.AddToken(b.Ctx, want, "operator"))
	got, err := b.desk.Token(b.Ctx, want.Hash)
	b.Must(err)
	b.Equal("token", got, want)
	if e := b.lastEvent(); e.Kind != moderation.KindTokenAdded || e.Subject != "m-1" || e.Actor != "operator" {
		t.Fatalf("event: %+v", e)
	}
	before := b.Head(comments.Installation)
	b.Is(b.desk.AddToken(b.Ctx, moderation.Token{Hash: moderation.HashOf("y"), Moderator: "m-9"}, "operator"), comments.ErrNotFound)
	b.Unchanged(comments.Installation, before)
}

func tokensListed(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	b.add("m-2", "b@example.org")
	var want []moderation.Token
	for i := range 3 {
		want = append(want, moderation.Token{
			Hash: moderation.Hash{byte(9 - i)}, Moderator: "m-1", Name: "kênh tin", Scopes: []moderation.Permission{moderation.See, moderation.Decide},
			CreatedAt: start.Add(time.Duration(i) * time.Minute), Expires: start.Add(time.Hour),
		})
	}
	want[1].Expires, want[1].Scopes = time.Time{}, nil
	for _, i := range []int{2, 0, 1} {
		b.Must(b.desk.AddToken(b.Ctx, want[i], "m-1"))
	}
	b.Must(b.desk.AddToken(b.Ctx, moderation.Token{Hash: moderation.Hash{1}, Moderator: "m-2", CreatedAt: start}, "m-2"))
	got, err := b.desk.Tokens(b.Ctx, "m-1")
	b.Must(err)
	b.Equal("the oldest first", got, want)
	b.Must(b.desk.RemoveToken(b.Ctx, want[1].Hash, "m-2"))
	if e := b.lastEvent(); e.Kind != moderation.KindTokenRemoved || e.Subject != "m-1" || e.Actor != "m-2" {
		t.Fatalf("event: %+v", e)
	}
	before := b.Head(comments.Installation)
	b.Is(b.desk.RemoveToken(b.Ctx, want[1].Hash, "m-2"), comments.ErrNotFound)
	b.Unchanged(comments.Installation, before)
	got, err = b.desk.Tokens(b.Ctx, "m-1")
	b.Must(err)
	b.Equal("without the removed", got, []moderation.Token{want[0], want[2]})
	none, err := b.desk.Tokens(b.Ctx, "m-9")
	b.Must(err)
	if len(none) != 0 {
		t.Fatalf("tokens of nobody: %v", none)
	}
	b.Verify()
}

func links(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	want := moderation.Link{Hash: moderation.HashOf("x"), Moderator: "m-1", Expires: start}
	_, err := b.desk.Link(b.Ctx, want.Hash)
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.SpendLink(b.Ctx, want.Hash)
	b.Is(err, comments.ErrNotFound)
	b.Must(b.desk.AddLink(b.Ctx, want))
	for range 2 { // reading spends nothing, and an expired one is still told of
		got, err := b.desk.Link(b.Ctx, want.Hash)
		b.Must(err)
		b.Equal("link", got, want)
	}
	got, err := b.desk.SpendLink(b.Ctx, want.Hash)
	b.Must(err)
	b.Equal("spent link", got, want)
	_, err = b.desk.Link(b.Ctx, want.Hash)
	b.Is(err, comments.ErrNotFound)
	_, err = b.desk.SpendLink(b.Ctx, want.Hash)
	b.Is(err, comments.ErrNotFound)
	b.Is(b.desk.AddLink(b.Ctx, moderation.Link{Hash: moderation.HashOf("y"), Moderator: "m-9"}), comments.ErrNotFound)
}

func linkRace(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	l := moderation.Link{Hash: moderation.HashOf("x"), Moderator: "m-1", Expires: start}
	b.Must(b.desk.AddLink(b.Ctx, l))
	var mu sync.Mutex
	winners := 0
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			_, err := b.desk.SpendLink(b.Ctx, l.Hash)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners++
			} else if !errors.Is(err, comments.ErrNotFound) {
				t.Errorf("a loser got %v", err)
			}
		})
	}
	wg.Wait()
	if winners != 1 {
		t.Fatalf("%d signed in by one link", winners)
	}
}

func signedIn(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	for _, kind := range []comments.Kind{moderation.KindSignedIn, moderation.KindSignedOut, moderation.KindSignInFailed} {
		b.Must(b.desk.SignedIn(b.Ctx, "m-1", kind))
		if e := b.lastEvent(); e.Kind != kind || e.Subject != "m-1" || e.Comment != "" {
			t.Fatalf("event: %+v", e)
		}
	}
	b.Verify()
}

func sessions(t *testing.T, b *bench) {
	h := moderation.HashOf("s")
	_, err := b.desk.Session(b.Ctx, h, start)
	b.Is(err, comments.ErrNotFound)
	b.Must(b.desk.RemoveSession(b.Ctx, h)) // what isn't there
	b.Must(b.desk.PutSession(b.Ctx, h, []byte{0, 1, 0xff}, start.Add(time.Hour)))
	got, err := b.desk.Session(b.Ctx, h, start)
	b.Must(err)
	b.Equal("session", got, []byte{0, 1, 0xff})
	got[0] = 9
	b.Must(b.desk.PutSession(b.Ctx, h, []byte("again"), start.Add(2*time.Hour)))
	got, err = b.desk.Session(b.Ctx, h, start.Add(90*time.Minute))
	b.Must(err)
	b.Equal("put again", string(got), "again")
	_, err = b.desk.Session(b.Ctx, h, start.Add(2*time.Hour+time.Millisecond))
	b.Is(err, comments.ErrNotFound)
	b.Must(b.desk.RemoveSession(b.Ctx, h))
	_, err = b.desk.Session(b.Ctx, h, start)
	b.Is(err, comments.ErrNotFound)
}

func sweepSignIn(t *testing.T, b *bench) {
	b.add("m-1", "a@example.org")
	for i := range 4 {
		expires := start.Add(time.Duration(i) * time.Hour)
		b.Must(b.desk.PutSession(b.Ctx, moderation.Hash{1, byte(i)}, []byte("s"), expires))
		b.Must(b.desk.AddLink(b.Ctx, moderation.Link{Hash: moderation.Hash{2, byte(i)}, Moderator: "m-1", Expires: expires}))
	}
	// One that lives longer by being put again.
	b.Must(b.desk.PutSession(b.Ctx, moderation.Hash{1, 0}, []byte("s"), start.Add(10*time.Hour)))
	sweep := func(now time.Time, want int) {
		t.Helper()
		total := 0
		for {
			n, err := b.desk.SweepSignIn(b.Ctx, now)
			b.Must(err)
			if n == 0 {
				break
			}
			total += n
		}
		if total != want {
			t.Fatalf("sweep at %s removed %d, want %d", now, total, want)
		}
	}
	sweep(start, 0)
	sweep(start.Add(90*time.Minute), 3) // session 1, links 0 and 1
	for i := range 4 {
		_, err := b.desk.Session(b.Ctx, moderation.Hash{1, byte(i)}, start)
		if i == 1 {
			b.Is(err, comments.ErrNotFound)
		} else {
			b.Must(err)
		}
		_, err = b.desk.Link(b.Ctx, moderation.Hash{2, byte(i)})
		if i < 2 {
			b.Is(err, comments.ErrNotFound)
		} else {
			b.Must(err)
		}
	}
	sweep(start.Add(100*time.Hour), 5)
	sweep(start.Add(100*time.Hour), 0)
}
