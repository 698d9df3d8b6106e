package console

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/templates"
)

// Whatever stands in next, it leads to the desk of this very origin.
func FuzzNext(f *testing.F) {
	var doors []*Console
	for _, base := range []string{"", "/comments"} {
		set, err := templates.New(templates.Options{Base: base})
		if err != nil {
			f.Fatal(err)
		}
		doors = append(doors, &Console{set: set})
	}
	for _, s := range []string{
		"/moderation/", "/moderation/audit?site=a", "/comments/moderation/?x", "//x/moderation/", "/moderation/%2e%2e/", "/moderation/%5c/..",
		"/moderation/;a//b", "https://x/moderation/", "/moderation/?next=//x#y", "/\\x/moderation/", "/comments//x/moderation/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, c := range doors {
			path := c.localPath(raw)
			u, err := url.Parse("https://own.example" + c.set.URL(path))
			if err != nil || u.Host != "own.example" || !strings.HasPrefix(path, "/moderation/") ||
				strings.Contains(u.Path, "..") || strings.Contains(u.Path, "//") || strings.ContainsAny(path, "\\\r\n\t ") {
				t.Fatalf("%q leads to %q", raw, path)
			}
			if again := c.localPath(path); again != path {
				t.Fatalf("%q leads to %q and then to %q", raw, path, again)
			}
		}
	})
}

// A place that was read says the same again.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "site=a&queue=spam", "queue=suspect&order=newest&after=x&comment=a~b", "view=comment&comment=%ff/?#", "order=odd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		p, err := placeFrom(q)
		if err != nil {
			if !errors.Is(err, comments.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		u, err := url.Parse(p.path(url.Values{"done": {"1.x"}}))
		if err != nil || !strings.HasPrefix(u.Path, "/moderation/") {
			t.Fatalf("%q is at %q: %v", raw, p.path(nil), err)
		}
		p.Alone = false
		again, err := placeFrom(p.values())
		if err != nil || again != p {
			t.Fatalf("%q is %+v and then %+v, %v", raw, p, again, err)
		}
	})
}

// Picks read what they wrote, and nothing else.
func FuzzPicks(f *testing.F) {
	for _, s := range []string{"1 bao~018f9c1e-7a3b-7c4d-8e5f-0123456789ab", "18446744073709551616 x", "1", "-1 x", "1.AY-cHno7fE2OXwEjRWeJqw", "1.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if p, err := parsePick(raw); err == nil {
			if again, err := parsePick(p.value()); err != nil || again != p {
				t.Fatalf("%q is %+v and then %+v, %v", raw, p, again, err)
			}
		}
		if p, ok := parseShort("bao", raw); ok {
			if again, ok := parseShort("bao", p.short()); !ok || again != p {
				t.Fatalf("%q is %+v and then %+v", raw, p, again)
			}
			if _, err := comments.ParseID(p.ID); err != nil {
				t.Fatalf("%q names no comment: %+v", raw, p)
			}
		}
	})
}

// A body is read, or refused for what it is.
func FuzzDecisions(f *testing.F) {
	for _, s := range []string{
		`{"decisions":[{"id":"a","action":"approve","version":1}]}`, `[]`, `{"decisions":5}`, `{"decisions":[[]]}`, `{"decisions":[{"id":"\ud800"}]}`,
		"{\"decisions\":[{\"id\":\"\xff\"}]}", `{"a~/0":1,"decisions":[{"version":1e99}]}`, ``,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		in := decisionsInput{RawBody: []byte(raw)}
		list, err := in.decisions()
		var invalid *comments.InvalidError
		switch {
		case err == nil, errors.Is(err, comments.ErrMalformed):
		case errors.As(err, &invalid):
			if at := invalid.Fields[0].Field; !strings.HasPrefix(at, "decisions") {
				t.Fatalf("%q is wrong at %q", raw, at)
			}
		default:
			t.Fatalf("%q: %v", raw, err)
		}
		if err != nil && list != nil || len(list) > len(raw) {
			t.Fatalf("%q: %d decisions, %v", raw, len(list), err)
		}
	})
}
