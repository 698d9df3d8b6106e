package web

import (
	"encoding/base64"
	"net/http"
	"unicode/utf8"

	"duyet/comments"
)

// A reader who asks for it finds their name in the form again: in a cookie, which nobody
// but the form reads.
const (
	nameCookie = "duyet_name"
	rememberAt = "remember" // field of the form
)

// rememberedName is the name that a request brings along, "" when none was to be kept.
func rememberedName(r *http.Request) string {
	c, err := r.Cookie(nameCookie)
	if err != nil {
		return ""
	}
	name, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(name) || len(name) > comments.NameBytes {
		return ""
	}
	return string(name)
}

// rememberName keeps a name that was let in, or forgets the one that was kept.
func (d *Door) rememberName(w http.ResponseWriter, r *http.Request, site comments.Site, name string, keep bool) {
	text := base64.RawURLEncoding.EncodeToString([]byte(name))
	switch {
	case keep && len(text) <= cookieMost:
		d.keep(w, r, site, nameCookie, text)
	case rememberedName(r) != "":
		d.keep(w, r, site, nameCookie, "")
	}
}

// cookieMost is what a cookie may hold of a name; browsers take 4,096 bytes with what else
// stands in it.
const cookieMost = 2048
