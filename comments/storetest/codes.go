package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"duyet/comments"
)

// codes: a comment is found by its code's key in its own site, whatever becomes of it; two
// that share one are both found, and it goes with its site.
func codes(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	coded := func(site string, status comments.Status, key comments.CodeKey) comments.Comment {
		c := b.Creation(site, "p", status)
		c.Code = key
		return b.Create(c)
	}
	want := func(site string, key comments.CodeKey, ids ...comments.ID) {
		t.Helper()
		list, err := b.Store.ByCode(b.Ctx, site, key)
		if err != nil || !slices.Equal(IDs(list), ids) {
			t.Errorf("%s, %d: %v, %v; want %v", site, key, IDs(list), err, ids)
		}
	}
	var ids []comments.ID
	for i, status := range comments.Statuses {
		ids = append(ids, coded("news", status, comments.CodeKey(i+1)<<28|7).ID)
	}
	twin := coded("news", comments.Spam, 1<<28|7)
	elsewhere := coded("news-2", comments.Pending, 2<<28|7)
	coded("news", comments.Pending, 0)
	top := coded("news", comments.Pending, ^comments.CodeKey(0))

	want("news", 1<<28|7, ids[0], twin.ID)
	for i := 1; i < len(ids); i++ {
		want("news", comments.CodeKey(i+1)<<28|7, ids[i])
	}
	want("news", ^comments.CodeKey(0), top.ID)
	want("news-2", 2<<28|7, elsewhere.ID)
	want("news", 7)
	want("news", 0)
	if list, err := b.Store.ByCode(b.Ctx, "news", 3<<28|7); err != nil || len(list) != 1 || list[0].Status != comments.Statuses[2] || list[0].Content == "" {
		t.Errorf("what is found: %+v, %v", list, err)
	}
	if _, err := b.Store.ByCode(b.Ctx, "nowhere", 7); !errors.Is(err, comments.ErrUnknownSite) {
		t.Errorf("on no site: %v", err)
	}
	b.Must(b.Store.RemoveSite(b.Ctx, "news-2", comments.ActorOperator))
	b.AddSite("news-2")
	want("news-2", 2<<28|7)
	want("news", 2<<28|7, ids[1])
}

// codesFilled: those that came without a key get one, once; those that have one keep it.
func codesFilled(t *testing.T, b *Bench) {
	b.AddSite("news")
	b.AddSite("news-2")
	key := func(id comments.ID) comments.CodeKey {
		u := id.UUID()
		return comments.CodeKey(u[14])<<8 | comments.CodeKey(u[15]) | 1<<20
	}
	has := func(id comments.ID) bool {
		t.Helper()
		list, err := b.Store.ByCode(b.Ctx, id.Site(), key(id))
		b.Must(err)
		return slices.Contains(IDs(list), id)
	}
	var ids []comments.ID
	for i := range 7 {
		ids = append(ids, b.Create(b.Creation([]string{"news", "news-2"}[i%2], "p", comments.Pending)).ID)
	}
	coded := b.Creation("news", "p", comments.Approved)
	coded.Code = key(coded.Comment.ID)
	ids = append(ids, b.Create(coded).ID)
	if has(ids[0]) || !has(coded.Comment.ID) {
		t.Fatal("who is found before")
	}
	ended, cancel := context.WithCancel(b.Ctx)
	cancel()
	if err := b.Store.FillCodes(ended, key); err == nil {
		t.Error("filled in a context that is done")
	}
	for range 2 {
		b.Must(b.Store.FillCodes(b.Ctx, key))
		for _, id := range ids {
			if !has(id) {
				t.Errorf("%s is not found", id)
			}
		}
		list, err := b.Store.ByCode(b.Ctx, "news", key(coded.Comment.ID))
		if err != nil || len(list) != 1 {
			t.Errorf("filled twice: %v, %v", IDs(list), err)
		}
	}
}
