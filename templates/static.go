package templates

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// assets are the files under static/, served under names that hold a hash of their
// content, so that they can be kept for ever.
type assets struct {
	base   string
	byName map[string]*asset // "reader.css"
	byPath map[string]*asset // "reader.0123456789ab.css"
	icons  map[string]template.HTML
}

type asset struct {
	hashed      string
	contentType string
	body, gzip  []byte
	integrity   string
}

func loadAssets(files fs.FS, base string) (*assets, error) {
	a := &assets{base: base, byName: map[string]*asset{}, byPath: map[string]*asset{}, icons: map[string]template.HTML{}}
	err := fs.WalkDir(files, "static", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(file, "static/")
		if icon, ok := strings.CutPrefix(name, "icons/"); ok {
			a.icons[strings.TrimSuffix(icon, ".svg")] = iconMarkup(string(body))
		}
		one, err := newAsset(name, body)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		a.byName[name], a.byPath[one.hashed] = one, one
		return nil
	})
	return a, err
}

func newAsset(name string, body []byte) (*asset, error) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	one := &asset{
		hashed:      strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		contentType: mime.TypeByExtension(ext),
		body:        body,
		integrity:   "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	switch ext { // not left to the machine's table of types
	case ".css":
		one.contentType = "text/css; charset=utf-8"
	case ".js":
		one.contentType = "text/javascript; charset=utf-8"
	case ".svg":
		one.contentType = "image/svg+xml"
	case ".webm":
		one.contentType = "video/webm"
	}
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if buf.Len() < len(body)*9/10 {
		one.gzip = buf.Bytes()
	}
	return one, nil
}

// iconMarkup is an icon to stand in text: 20 px, in the text's colour, hidden from screen
// readers, since a word always stands beside it.
func iconMarkup(svg string) template.HTML {
	svg = strings.Replace(svg, `<svg xmlns="http://www.w3.org/2000/svg"`, `<svg class="icon" aria-hidden="true" focusable="false"`, 1)
	return trusted(strings.TrimSpace(svg))
}

// url is the address of a file by its plain name; an unknown one fails the page.
func (a *assets) url(name string) (string, error) {
	one, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return a.base + "/static/" + one.hashed, nil
}

func (a *assets) icon(name string) (template.HTML, error) {
	svg, ok := a.icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return svg, nil
}

// AssetURL is the address of a static file by its plain name ("reader.css"), "" when there
// is none.
func (s *Set) AssetURL(name string) string {
	u, err := s.assets.url(name)
	if err != nil {
		return ""
	}
	return u
}

// Asset is a static file's content by its plain name.
func (s *Set) Asset(name string) (body []byte, ok bool) {
	one, ok := s.assets.byName[name]
	if !ok {
		return nil, false
	}
	return one.body, true
}

// Static serves the assets; mount it at "/static/" with the prefix stripped. A name
// without its hash, or with an old one, is 404.
func (s *Set) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, ok := s.assets.byPath[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		one.serve(w, r, "public, max-age=31536000, immutable")
	})
}

// serve answers a GET or HEAD with the file, to pages of any origin.
func (one *asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	h := w.Header()
	h.Set("Content-Type", one.contentType)
	h.Set("Cache-Control", cacheControl)
	h.Set("Access-Control-Allow-Origin", "*") // public, and pages of other origins include it
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("ETag", `"`+one.integrity+`"`)
	body := one.body
	if one.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", `"`+one.integrity+`-gzip"`)
			body = one.gzip
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
