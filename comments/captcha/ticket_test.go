package captcha

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

var (
	_ comments.Tickets = (*Sealer)(nil)

	oldKey = bytes.Repeat([]byte{1}, 32)
	newKey = bytes.Repeat([]byte{2}, 32)
	noon   = time.Date(2026, 3, 14, 12, 0, 0, 123_456_789, time.UTC)
)

const page = "https://news.example/thoi-su/bai-1.html"

func sealer(t testing.TB, keys ...[]byte) *Sealer {
	t.Helper()
	s, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func issue(t testing.TB, s *Sealer) (string, comments.Ticket) {
	t.Helper()
	text, ticket, err := s.Issue("news", page, noon, 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return text, ticket
}

func equal(a, b comments.Ticket) bool {
	return a.ID == b.ID && a.Site == b.Site && a.Page == b.Page && bytes.Equal(a.Digits, b.Digits) &&
		a.Issued.Equal(b.Issued) && a.Expires.Equal(b.Expires)
}

func TestTicket(t *testing.T) {
	s := sealer(t, newKey)
	seen := make(map[comments.TicketID]bool)
	for _, site := range []string{"a", "news", strings.Repeat("z", 32)} {
		for _, ttl := range []time.Duration{time.Second, 30 * time.Minute, 24 * time.Hour} {
			text, want, err := s.Issue(site, page, noon, ttl)
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`^t[A-Za-z0-9_-]{130,190}$`).MatchString(text) {
				t.Errorf("ticket %q", text)
			}
			got, err := s.Open(text)
			if err != nil || !equal(got, want) {
				t.Errorf("%+v opens as %+v, %v", want, got, err)
			}
			if got.Site != site || got.Page != comments.PageHash(site, page) || len(got.Digits) != Digits ||
				!got.Issued.Equal(noon.Truncate(time.Millisecond)) || got.Expires.Sub(got.Issued) != ttl || seen[got.ID] {
				t.Errorf("ticket %+v", got)
			}
			seen[got.ID] = true
		}
	}
}

func TestText(t *testing.T) {
	if got := Text(comments.Ticket{Digits: []byte{0, 1, 2, 9, 0, 5}}); got != "012905" {
		t.Errorf("digits %q", got)
	}
}

func TestIssueRefuses(t *testing.T) {
	s := sealer(t, newKey)
	for _, site := range []string{"", "Báo", "a b", strings.Repeat("z", 33)} {
		if _, _, err := s.Issue(site, page, noon, time.Minute); !errors.Is(err, comments.ErrInvalid) {
			t.Errorf("site %q: %v", site, err)
		}
	}
	for _, ttl := range []time.Duration{0, -time.Second, time.Microsecond} {
		if _, _, err := s.Issue("news", page, noon, ttl); !errors.Is(err, comments.ErrInvalid) {
			t.Errorf("good for %s: %v", ttl, err)
		}
	}
}

func TestRotation(t *testing.T) {
	text, want := issue(t, sealer(t, oldKey))
	if got, err := sealer(t, newKey, oldKey).Open(text); err != nil || !equal(got, want) {
		t.Errorf("under the previous key: %+v, %v", got, err)
	}
	if _, err := sealer(t, newKey).Open(text); !errors.Is(err, comments.ErrTicketUnreadable) {
		t.Errorf("under a key that is gone: %v", err)
	}
	text, _ = issue(t, sealer(t, newKey, oldKey))
	if _, err := sealer(t, newKey).Open(text); err != nil {
		t.Errorf("a new ticket is not sealed under the current key: %v", err)
	}
}

func TestKeys(t *testing.T) {
	if _, err := New(nil); err == nil {
		t.Error("no key is enough")
	}
	if _, err := New([][]byte{newKey, []byte("short")}); err == nil {
		t.Error("a short key is enough")
	}
}

// TestEveryChangeIsSeen tries every letter in every place, and so every bit and every
// other spelling of the last one.
func TestEveryChangeIsSeen(t *testing.T) {
	s := sealer(t, newKey, oldKey)
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \r\n"
	for _, site := range []string{"a", "ab", "abc"} { // each length of the last group
		text, _, err := s.Issue(site, page, noon, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for i := range text {
			others := []string{text[:i], text[:i] + text[i+1:], text[:i] + "\n" + text[i:], text[:i] + "A" + text[i:]}
			for _, c := range []byte(letters) {
				if c != text[i] {
					others = append(others, text[:i]+string(c)+text[i+1:])
				}
			}
			for _, other := range others {
				if _, err := s.Open(other); !errors.Is(err, comments.ErrTicketUnreadable) {
					t.Fatalf("%q changed to %q: %v", text, other, err)
				}
			}
		}
		for _, other := range []string{text + "=", text + "A", text + "\n", " " + text, "T" + text[1:], text + strings.Repeat("A", 1<<20)} {
			if _, err := s.Open(other); !errors.Is(err, comments.ErrTicketUnreadable) {
				t.Fatalf("%.300q: %v", other, err)
			}
		}
	}
}

// TestSealedNonsense: what only we can have sealed is still looked at.
func TestSealedNonsense(t *testing.T) {
	s := sealer(t, newKey)
	_, good := issue(t, s)
	digits, site := good, good
	digits.Digits = []byte{1, 2, 3, 4, 5, 10}
	site.Site = "No Site"
	for _, bad := range []comments.Ticket{digits, site} {
		if _, err := s.Open(s.seal(bad)); !errors.Is(err, comments.ErrTicketUnreadable) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// Tickets as they were sealed when the format was made, under newKey and oldKey, and their
// codes.
const (
	sealedNew = "tARsnfL0a-ujNt9-bgDH-Dib3NZdzGWeTXYotttlVx6nBdnQVser_TDi6UFfX9np3ScOB9Ky3-AOFXTr5CAemLN0lYeoAblDKrpIUmUh4LD8KfYnFXJCxcyGE-IOubVrZvVoF52wu1g"
	sealedOld = "tAX8xlP5FrjUGmJFjIUPM6JLZYYfMn8vfKxabiKYFLzhxZWDUMC_wQabKgMPR5ukw7tU5xK8Kx6q1YeC4A-4grJzM8qsJa0ko5ZCpV_omDNBpiHyGnw8F5HofdPqTBAauugeNgGNMYA"
	codeNew   = "581338"
	codeOld   = "274386"
)

func TestFormatStands(t *testing.T) {
	s := sealer(t, newKey, oldKey)
	for text, code := range map[string]string{sealedNew: codeNew, sealedOld: codeOld} {
		got, err := s.Open(text)
		if err != nil || Text(got) != code || got.Site != "news" || got.Page != comments.PageHash("news", page) ||
			!got.Issued.Equal(noon.Truncate(time.Millisecond)) || got.Expires.Sub(got.Issued) != 30*time.Minute {
			t.Errorf("%q opens as %+v, %v", text, got, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, newKey, oldKey)
	for _, seed := range []string{
		sealedNew, sealedOld, "", "t", "t1AAAA", sealedNew + "=", sealedNew[:len(sealedNew)-1],
		strings.ToUpper(sealedNew), "t" + strings.Repeat("A", 140),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		ticket, err := s.Open(typed)
		if err != nil {
			if !errors.Is(err, comments.ErrTicketUnreadable) || ticket.Site != "" {
				t.Fatalf("%+v, %v", ticket, err)
			}
			return
		}
		if typed != sealedNew && typed != sealedOld {
			t.Fatalf("%q opens", typed)
		}
	})
}

func BenchmarkIssue(b *testing.B) {
	s := sealer(b, newKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Issue("news", page, noon, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s := sealer(b, newKey)
	text, _ := issue(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open(text); err != nil {
			b.Fatal(err)
		}
	}
}
