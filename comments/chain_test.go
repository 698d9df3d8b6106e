package comments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"testing"
	"time"
)

// TestLinkVector: journals outlive releases and move between stores, so what Link and Sum
// compute never changes. The values come from a
// program of its own: HMAC-SHA256 over the fields, each after its length.
func TestLinkVector(t *testing.T) {
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	detail := Detail{Salt: []byte("0123456789abcdef"), Reason: "Không đúng chủ đề", Note: "xem lại"}
	at := time.Date(2025, 3, 1, 8, 0, 0, 123_000_000, time.UTC)
	events := []Event{
		{Site: "news", Seq: 1, At: at, Actor: ActorOperator, Kind: KindSiteAdded, Subject: "news"},
		{
			Site: "news", Seq: 2, At: at.Add(time.Second), Actor: "m-1", Kind: KindDecided,
			Comment: "news~01955098-5f00-7000-8000-000000000001", From: Pending, To: Rejected, Version: 2,
			Reason: "other", Detail: detail.Sum(),
		},
	}
	want := []string{
		"d2223abdfdc3a177f09689db386bd3c7a5a563920449c536e0c5e835487997b0",
		"de8be97312b5879accdfeafa0b45fa3edc3fad608905b5ebd447be8cb06dbb1d",
	}
	var before []byte
	for i, e := range events {
		before = e.Link(mac, before)
		if got := hex.EncodeToString(before); got != want[i] {
			t.Errorf("event %d: %s, want %s", e.Seq, got, want[i])
		}
	}
	if got, want := hex.EncodeToString(detail.Sum()), "cc42a038a914fcf191e4e666e00c4e74bad0af71c7df5c9812350282278db329"; got != want {
		t.Errorf("detail: %s, want %s", got, want)
	}
}

// TestLinkCovers: every field but Chain, and what came before, changes the link.
func TestLinkCovers(t *testing.T) {
	mac := hmac.New(sha256.New, []byte("key"))
	link := func(e Event, before string) string { return string(e.Link(mac, []byte(before))) }
	seen := map[string]string{link(Event{}, ""): "nothing", link(Event{}, "x"): "the one before"}
	fields := reflect.TypeFor[Event]()
	for i := range fields.NumField() {
		var e Event
		f, name := reflect.ValueOf(&e).Elem().Field(i), fields.Field(i).Name
		switch f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Uint64:
			f.SetUint(1)
		case reflect.Slice:
			f.SetBytes([]byte("x"))
		default:
			e.At = time.UnixMilli(1)
		}
		l := link(e, "")
		if other, ok := seen[l]; ok != (name == "Chain") {
			t.Errorf("%s: its link is the one of %q", name, other)
		}
		seen[l] = name
	}
	// A byte that moves from a field to the next is no longer the same.
	if link(Event{Actor: "ab", Kind: "c"}, "") == link(Event{Actor: "a", Kind: "bc"}, "") {
		t.Error("fields run into each other")
	}
}
