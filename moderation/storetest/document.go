package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

const kindWordsChanged comments.Kind = "words.changed"

func (b *bench) put(d moderation.Document, kind comments.Kind) moderation.Document {
	b.T.Helper()
	stored, err := b.desk.PutDocument(b.Ctx, d, kind)
	b.Must(err)
	return stored
}

func list(site, id, data string) moderation.Document {
	return moderation.Document{Site: site, Kind: "words", ID: id, Data: []byte(data), By: "m-1"}
}

func documents(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	_, err := b.desk.Document(b.Ctx, "news", "words", "default")
	b.Is(err, comments.ErrNotFound)
	if errors.Is(err, comments.ErrUnknownSite) {
		t.Errorf("a site that stands: %v", err)
	}
	_, err = b.desk.Document(b.Ctx, "nowhere", "words", "default")
	b.Is(err, comments.ErrUnknownSite)
	none, err := b.desk.Documents(b.Ctx, "nowhere", "words")
	b.Must(err)
	if len(none) != 0 {
		t.Errorf("documents of no site: %v", none)
	}

	big := bytes.Repeat([]byte{0, 1, 0xff, 'x'}, moderation.DocumentMost/4)
	for _, d := range []moderation.Document{
		list("news", "b", "\x00binary\xff"), list("news", "a", ""), list("news", "B.2", "x"), list("news-2", "a", "other"),
		list(comments.Installation, "a", "everybody's"),
		{Site: "news", Kind: "words2", ID: "a", By: "m-1"}, {Site: "news", Kind: "model", ID: "a", Data: big, By: comments.ActorSystem},
	} {
		stored := b.put(d, kindWordsChanged)
		want := d
		want.Version, want.At = 1, stored.At
		if want.Data == nil {
			want.Data = []byte{}
		}
		if stored.Data == nil {
			stored.Data = []byte{}
		}
		if stored.At.IsZero() {
			t.Error("a document without a time")
		}
		b.Equal("stored", stored, want)
		got, err := b.desk.Document(b.Ctx, d.Site, d.Kind, d.ID)
		b.Must(err)
		if !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("%s: other data", d.Subject())
		}
		got.Data, want.Data = nil, nil
		b.Equal("read", got, want)
	}
	all, err := b.desk.Documents(b.Ctx, "news", "words")
	b.Must(err)
	var ids []string
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	b.Equal("by id", ids, []string{"B.2", "a", "b"})
	if string(all[2].Data) != "\x00binary\xff" {
		t.Errorf("data in a list: %q", all[2].Data)
	}

	for _, d := range []moderation.Document{
		{Site: "news", Kind: "", ID: "a"}, {Site: "news", Kind: "words", ID: ""}, {Site: "news", Kind: "Words", ID: "a"},
		{Site: "news", Kind: "words", ID: "a/b"}, {Site: "news", Kind: "words", ID: strings.Repeat("x", 65)},
		{Site: "news", Kind: "words", ID: "z", Data: make([]byte, moderation.DocumentMost+1)},
	} {
		_, err := b.desk.PutDocument(b.Ctx, d, kindWordsChanged)
		b.Is(err, comments.ErrInvalid)
	}
	for _, kind := range []comments.Kind{"", kindWordsChanged} {
		_, err = b.desk.PutDocument(b.Ctx, list("nowhere", "a", ""), kind)
		b.Is(err, comments.ErrUnknownSite)
	}
	b.Verify("news", "news-2", comments.Installation)
}

func documentVersions(t *testing.T, b *bench) {
	b.AddSite("news")
	for _, kind := range []comments.Kind{"", kindWordsChanged} {
		d := list("news", "a"+string(kind), "1")
		missing := d
		missing.Version = 3
		_, err := b.desk.PutDocument(b.Ctx, missing, kind)
		b.Is(err, comments.ErrNotFound)
		first := b.put(d, kind)
		_, err = b.desk.PutDocument(b.Ctx, d, kind)
		b.Is(err, comments.ErrExists)
		second := first
		second.Data, second.By = []byte("2"), "m-2"
		second = b.put(second, kind)
		if second.Version != 2 {
			t.Errorf("version %d after two changes", second.Version)
		}
		_, err = b.desk.PutDocument(b.Ctx, first, kind)
		b.Is(err, comments.ErrVersion)
		got, err := b.desk.Document(b.Ctx, "news", "words", d.ID)
		b.Must(err)
		b.Equal("after two changes", got, second)

		b.Is(b.desk.RemoveDocument(b.Ctx, first, kindWordsChanged), comments.ErrVersion)
		b.Is(b.desk.RemoveDocument(b.Ctx, d, kindWordsChanged), comments.ErrVersion)
		b.Is(b.desk.RemoveDocument(b.Ctx, second, ""), comments.ErrInvalid)
		b.Must(b.desk.RemoveDocument(b.Ctx, second, kindWordsChanged))
		b.Is(b.desk.RemoveDocument(b.Ctx, second, kindWordsChanged), comments.ErrNotFound)
		_, err = b.desk.Document(b.Ctx, "news", "words", d.ID)
		b.Is(err, comments.ErrNotFound)
	}
	b.Is(b.desk.RemoveDocument(b.Ctx, moderation.Document{Site: "nowhere", Kind: "words", ID: "a", Version: 1}, kindWordsChanged), comments.ErrUnknownSite)
}

func documentEvents(t *testing.T, b *bench) {
	b.AddSite("news")
	var heard []comments.Commit
	b.Store.Observe(func(c comments.Commit) { heard = append(heard, c) })
	d := b.put(list("news", "a", "1"), kindWordsChanged)
	before := b.Head("news")
	d = b.put(d, "") // tells nobody
	b.Unchanged("news", before)
	d.By = "m-2"
	b.Must(b.desk.RemoveDocument(b.Ctx, d, "words.removed"))
	b.put(list(comments.Installation, "a", "1"), kindWordsChanged)
	var got []string
	for _, c := range heard {
		if c.Comment.ID != "" || c.Page != "" {
			t.Errorf("a document's commit is about a comment: %+v", c)
		}
		got = append(got, c.Event.Site+" "+c.Event.Actor+" "+string(c.Event.Kind)+" "+c.Event.Subject)
	}
	b.Equal("heard", got, []string{"news m-1 words.changed words/a", "news m-2 words.removed words/a", "* m-1 words.changed words/a"})
	refused := b.Head("news")
	_, err := b.desk.PutDocument(b.Ctx, d, kindWordsChanged)
	b.Is(err, comments.ErrNotFound)
	b.Unchanged("news", refused)
	b.Verify("news", comments.Installation)
}

func documentRace(t *testing.T, b *bench) {
	b.AddSite("news")
	for _, kind := range []comments.Kind{"", kindWordsChanged} {
		d := b.put(list("news", "a"+string(kind), "0"), "")
		var mu sync.Mutex
		winners := 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := b.desk.PutDocument(b.Ctx, d, kind)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					winners++
				} else if !errors.Is(err, comments.ErrVersion) {
					t.Errorf("a loser got %v", err)
				}
			})
		}
		wg.Wait()
		if winners != 1 {
			t.Errorf("%d changes of one version", winners)
		}
	}
}

func documentsGoWithTheSite(t *testing.T, b *bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	b.put(list("news", "a", "1"), kindWordsChanged)
	b.put(list("news", "b", "1"), "")
	b.put(list("news-2", "a", "1"), kindWordsChanged)
	b.Must(b.Store.RemoveSite(b.Ctx, "news", comments.ActorOperator))
	b.AddSite("news")
	left, err := b.desk.Documents(b.Ctx, "news", "words")
	b.Must(err)
	if len(left) != 0 {
		t.Errorf("a removed site left %v", left)
	}
	_, err = b.desk.Document(b.Ctx, "news-2", "words", "a")
	b.Must(err)
}

// documentKeeper: what is kept in memory follows the store.
func documentKeeper(t *testing.T, b *bench) {
	b.AddSite("news")
	built := 0
	keeper := moderation.NewKeeper(b.desk, "words", func(_ string, docs []moderation.Document) (string, error) {
		built++
		var all []string
		for _, d := range docs {
			if string(d.Data) == "broken" {
				return "", comments.ErrDamaged
			}
			all = append(all, string(d.Data))
		}
		return strings.Join(all, " "), nil
	})
	b.Store.Observe(keeper.Observe)
	get := func(want string) {
		t.Helper()
		for range 3 {
			got, err := keeper.Of(b.Ctx, "news")
			b.Must(err)
			b.Equal("kept", got, want)
		}
	}
	get("")
	d := b.put(list("news", "a", "mot"), kindWordsChanged)
	get("mot")
	b.put(list("news", "b", "hai"), kindWordsChanged)
	get("mot hai")
	b.put(moderation.Document{Site: "news", Kind: "other", ID: "x"}, kindWordsChanged)
	if get("mot hai"); built != 3 {
		t.Errorf("built %d times for three states", built)
	}
	b.put(list(comments.Installation, "a", "chung"), kindWordsChanged)
	get("chung mot hai")
	d.Data = []byte("broken")
	d = b.put(d, kindWordsChanged)
	_, err := keeper.Of(b.Ctx, "news")
	b.Is(err, comments.ErrDamaged)
	b.Must(b.desk.RemoveDocument(b.Ctx, d, kindWordsChanged))
	get("chung hai")
	// One that can't be read now is asked for again.
	gone, cancel := context.WithCancel(b.Ctx)
	cancel()
	b.put(list("news", "c", "ba"), kindWordsChanged)
	_, err = keeper.Of(gone, "news")
	b.Is(err, context.Canceled)
	get("chung hai ba")
	b.Must(b.Store.RemoveSite(b.Ctx, "news", comments.ActorOperator))
	get("chung")
}
