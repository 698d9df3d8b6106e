package storetest

import (
	"testing"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// leases: a tab has one comment open, for a while, and says when it has none.
func leases(t *testing.T, b *bench) {
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	one, err := comments.NewID("bao")
	b.Must(err)
	two, err := comments.NewID("bao")
	b.Must(err)
	put := func(holder, tab string, id comments.ID, until time.Time) {
		t.Helper()
		b.Must(b.desk.PutLease(b.Ctx, moderation.Lease{Site: "bao", Holder: holder, Tab: tab, Comment: id, Until: until}))
	}
	held := func(site string, at time.Time) (list []moderation.Lease) {
		t.Helper()
		list, err := b.desk.Leases(b.Ctx, site, at)
		b.Must(err)
		return list
	}
	put("m-lan", "t1", one, now.Add(time.Minute))
	put("m-minh", "t1", two, now.Add(2*time.Minute))
	put("m-minh", "t2", one, now.Add(time.Minute))
	if list := held("bao", now); len(list) != 3 || list[0].Comment != one || list[0].Holder != "m-lan" ||
		list[2] != (moderation.Lease{Site: "bao", Holder: "m-minh", Tab: "t1", Comment: two, Until: now.Add(2 * time.Minute)}) {
		t.Errorf("leases: %+v", list)
	}
	if list := held("khac", now); len(list) != 0 {
		t.Errorf("of another site: %+v", list)
	}
	put("m-minh", "t1", one, now.Add(3*time.Minute)) // moves on
	put("m-minh", "t2", "", now)
	put("m-minh", "t9", "", now) // which had nothing open
	if list := held("bao", now); len(list) != 2 || list[1].Comment != one || list[1].Tab != "t1" {
		t.Errorf("after moving on: %+v", list)
	}
	if list := held("bao", now.Add(time.Minute)); len(list) != 1 || list[0].Holder != "m-minh" {
		t.Errorf("after a minute: %+v", list)
	}
}
