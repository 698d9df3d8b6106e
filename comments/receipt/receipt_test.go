package receipt

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"duyet/comments"
)

var (
	_ comments.Receipts = (*Sealer)(nil)
	_ comments.Codes    = (*Sealer)(nil)

	oldKey = bytes.Repeat([]byte{1}, 32)
	newKey = bytes.Repeat([]byte{2}, 32)
)

func sealer(t testing.TB, keys ...[]byte) *Sealer {
	t.Helper()
	s, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newID(t testing.TB, site string) comments.ID {
	t.Helper()
	id, err := comments.NewID(site)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestReceipt(t *testing.T) {
	s := sealer(t, newKey)
	for _, site := range []string{"a", "news", strings.Repeat("z", 32)} {
		id := newID(t, site)
		r, err := s.Issue(id)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^r[A-Za-z0-9_-]+$`).MatchString(r) {
			t.Errorf("receipt %q", r)
		}
		if got, err := s.Open(r); err != nil || got != id {
			t.Errorf("Open(Issue(%s)) = %s, %v", id, got, err)
		}
		if again, _ := s.Issue(id); again != r {
			t.Error("a second receipt of one comment differs")
		}
	}
	if _, err := s.Issue("no id"); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("a receipt for no comment: %v", err)
	}
}

func TestRotation(t *testing.T) {
	id := newID(t, "news")
	r, _ := sealer(t, oldKey).Issue(id)
	if got, err := sealer(t, newKey, oldKey).Open(r); err != nil || got != id {
		t.Errorf("under the previous key: %s, %v", got, err)
	}
	if _, err := sealer(t, newKey).Open(r); !errors.Is(err, comments.ErrNotFound) {
		t.Errorf("under a key that is gone: %v", err)
	}
}

func TestEveryChangeIsSeen(t *testing.T) {
	s := sealer(t, newKey)
	r, _ := s.Issue(newID(t, "news"))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n"
	for i := range r {
		for _, c := range []byte(letters) {
			if c == r[i] {
				continue
			}
			if _, err := s.Open(r[:i] + string(c) + r[i+1:]); !errors.Is(err, comments.ErrNotFound) {
				t.Fatalf("letter %d as %q: %v", i, c, err)
			}
		}
		for _, other := range []string{r[:i], r[:i] + r[i+1:], r[:i] + "\n" + r[i:], r[:i] + "A" + r[i:]} {
			if id, err := s.Open(other); err == nil {
				t.Fatalf("%q opens as %s", other, id)
			}
		}
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

func TestCode(t *testing.T) {
	s, id := sealer(t, newKey), newID(t, "news")
	code := s.Code(id)
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
		t.Fatalf("code %q", code)
	}
	if s.Code(id) != code || s.Code(newID(t, "news")) == code {
		t.Error("a code does not name one comment")
	}
	for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + code + " ", strings.ReplaceAll(code, "0", "o"), strings.ReplaceAll(code, "1", "l")} {
		if !s.IsCode(id, typed) {
			t.Errorf("%q is not taken for %q", typed, code)
		}
	}
	if old := sealer(t, oldKey); old.Code(id) == code || !sealer(t, newKey, oldKey).IsCode(id, old.Code(id)) || s.IsCode(id, old.Code(id)) {
		t.Error("codes and keys")
	}
	for _, typed := range []string{code, strings.ToLower(code), " " + strings.ReplaceAll(code, "0", "O")} {
		if key, ok := s.TypedKey(typed); !ok || key != s.CodeKey(id) || key == 0 {
			t.Errorf("%q has the key %d, %v", typed, key, ok)
		}
	}
	for _, typed := range []string{"", "K7QX", "K7QX-29MDX", "K7QX-29M!", "K7QX-29MU", "K7QX\n29MD", strings.Repeat("0", 16)} {
		if _, ok := s.TypedKey(typed); ok {
			t.Errorf("%q is taken for a code", typed)
		}
	}
	if key, _ := sealer(t, oldKey).TypedKey(code); key == s.CodeKey(id) {
		t.Error("a key that another secret makes")
	}
	if s.IsCode(id, "") || s.IsCode(newID(t, "news"), code) {
		t.Error("a code names another comment")
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, newKey, oldKey)
	r, _ := s.Issue("news~0190a0b0-0000-7000-8000-000000000001")
	for _, seed := range []string{r, "", "r", r + "=", r[:len(r)-1], strings.ToUpper(r), "rAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := s.Open(text)
		if err != nil {
			if id != "" || !errors.Is(err, comments.ErrNotFound) {
				t.Fatalf("%q, %v", id, err)
			}
			return
		}
		if again, err := s.Issue(id); err != nil || again != text {
			t.Fatalf("%q opens as %s, whose receipt is %q", text, id, again)
		}
	})
}
