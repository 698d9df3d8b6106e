package screen

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"duyet/comments"
)

const leaflet = "Kính gửi tòa soạn, chúng tôi yêu cầu xem lại dự án lấp hồ vì nó ảnh hưởng tới cả khu dân cư quanh đây"

func TestRepeats(t *testing.T) {
	h := newHouse(t)
	r := NewRepeats(h.desk(), h.db)
	h.db.Observe(r.Observe)
	// submit posts as the service would: with what the check found.
	submit := func(content string) comments.Comment {
		t.Helper()
		signals := look(t, r.Check(), h.candidate(content))
		h.now = h.now.Add(time.Minute)
		id, err := comments.NewID("bao")
		h.must(err)
		c, _, err := h.db.Create(t.Context(), comments.Creation{
			Comment: comments.Comment{ID: id, Site: "bao", Page: "p", Name: "An", Title: "Ý kiến về bài viết", Content: content,
				Status: comments.Pending, Signals: signals, CreatedAt: h.now},
			Page: comments.Page{Site: "bao", Key: "p", CreatedAt: h.now}, Actor: comments.ActorReader,
		})
		h.must(err)
		return c
	}
	first := submit(leaflet)
	other := submit("Hôm nay trời đẹp, tôi đi dạo quanh hồ và thấy mọi người vui vẻ tập thể dục buổi sáng")
	if first.Signals != nil || other.Signals != nil {
		t.Fatalf("what was not said before: %+v, %+v", first.Signals, other.Signals)
	}
	var last comments.Comment
	for i := range 4 {
		last = submit(leaflet + fmt.Sprint(", ký tên số ", i))
		want := []string{"repeats.near.info"}
		if i >= 2 {
			want = []string{"repeats.campaign.hold"}
		}
		if got := names(last.Signals); !slices.Equal(got, want) || last.Signals[0].Args["campaign"] != string(first.ID) {
			t.Errorf("copy %d: %+v", i, last.Signals)
		}
	}
	list, err := r.Campaign(t.Context(), boss, last.ID)
	if err != nil || len(list) != 5 || list[0].ID != first.ID {
		t.Errorf("campaign of %d, %v", len(list), err)
	}
	if list, err := r.Campaign(t.Context(), boss, other.ID); err != nil || list != nil {
		t.Errorf("campaign of a lone comment: %v, %v", list, err)
	}
	// After a restart the window is made anew.
	again := NewRepeats(h.desk(), h.db)
	h.must(again.Warm(t.Context(), "bao"))
	if list, err := again.Campaign(t.Context(), boss, first.ID); err != nil || len(list) != 5 {
		t.Errorf("campaign after a restart: %d, %v", len(list), err)
	}
	if got := names(look(t, again.Check(), h.candidate(leaflet))); !slices.Equal(got, []string{"repeats.campaign.hold"}) {
		t.Errorf("after a restart: %v", got)
	}
}

func TestOneNetworkManyNames(t *testing.T) {
	h := newHouse(t)
	r := NewRepeats(h.desk(), h.db)
	for i, name := range []string{"An", "Bình", "An", "Chi"} {
		c := h.candidate("Ngắn")
		c.Addr, c.Comment.Name = netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%d", i)), name
		got := look(t, r.Check(), c)
		if want := i == 3; (len(got) == 1 && got[0].Code == "names") != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	c := h.candidate("Ngắn")
	c.Addr, c.Comment.Name = netip.MustParseAddr("2001:db8:1:3::1"), "Dung"
	if got := look(t, r.Check(), c); got != nil {
		t.Errorf("another network: %+v", got)
	}
}

func TestBurst(t *testing.T) {
	h := newHouse(t)
	r := NewRepeats(h.desk(), h.db)
	h.db.Observe(r.Observe)
	for range burstLeast {
		h.post("Ừ", comments.Pending)
	}
	if got := names(look(t, r.Check(), h.candidate("Ừ"))); !slices.Equal(got, []string{"repeats.burst.info"}) {
		t.Errorf("found %v", got)
	}
}
