// Package templates turns what the services know into what people see: pages, problem
// documents and mails, in the languages of its catalogues.
//
// It is the one place that makes HTML (markup.go) and the one place that turns an error
// into a status (status.go). It knows the error kinds of package comments and nothing
// else of either wing: what a page shows is handed to it.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
)

//go:embed all:html static locales
var embedded embed.FS

// Options are what a Set is made with.
type Options struct {
	// Dir, when set, is read in place of the built-in files, again for every page: for
	// development.
	Dir string
	// Base is the path that every address begins with, without a slash at its end: ""
	// or what --base-url carries, like "/comments".
	Base string
	// Log hears of faults of ours. nil means slog.Default().
	Log *slog.Logger
}

// Set is every template, asset and catalogue, parsed. It is safe for concurrent use.
type Set struct {
	opts    Options
	files   fs.FS
	locales *catalogues
	assets  *assets
	pages   map[string]*template.Template
}

// New parses everything; an error names the file that doesn't fit.
func New(opts Options) (*Set, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	s := &Set{opts: opts, files: embedded}
	if opts.Dir != "" {
		s.files = os.DirFS(opts.Dir)
		if err := s.load(); err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		return s, nil
	}
	// What is built in never changes: sets of one base share what is made of it.
	once, _ := builtIn.LoadOrStore(opts.Base, sync.OnceValues(func() (*Set, error) {
		one := &Set{opts: Options{Base: opts.Base}, files: embedded}
		return one, one.load()
	}))
	made, err := once.(func() (*Set, error))()
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	s.locales, s.assets, s.pages = made.locales, made.assets, made.pages
	return s, nil
}

// builtIn are the loaded sets of the built-in files, by base.
var builtIn sync.Map

func (s *Set) load() (err error) {
	if s.locales, err = loadCatalogues(s.files); err != nil {
		return err
	}
	if s.assets, err = loadAssets(s.files, s.opts.Base); err != nil {
		return err
	}
	if err = s.assembleAround(); err != nil {
		return err
	}
	if err = s.assembleEmbed(); err != nil {
		return err
	}
	s.pages, err = s.parse()
	return err
}

// parse reads html/layout.html as the frame of every page, html/*/_*.html as parts that
// the pages of the same folder share, and every other file as a page of its own, named
// like "reader/thread".
func (s *Set) parse() (map[string]*template.Template, error) {
	layout, err := template.New("layout").Funcs(s.funcs()).ParseFS(s.files, "html/layout.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	err = fs.WalkDir(s.files, "html", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || file == "html/layout.html" || strings.HasPrefix(path.Base(file), "_") {
			return err
		}
		t, err := layout.Clone()
		if err != nil {
			return err
		}
		if parts, _ := fs.Glob(s.files, path.Dir(file)+"/_*.html"); len(parts) > 0 {
			if t, err = t.ParseFS(s.files, parts...); err != nil {
				return err
			}
		}
		if t, err = t.ParseFS(s.files, file); err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "html/"), ".html")
		pages[name] = t
		return nil
	})
	return pages, err
}

func (s *Set) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":  s.assets.url,
		"icon":   s.assets.icon,
		"url":    s.URL,
		"markup": Text,
		"mark":   Marked,
		"hits":   Hits,
		"args":   args,
	}
}

// args makes a map of alternating names and values, for a part that needs several.
func args(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("args: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("args: a name without a value")
	}
	return m, nil
}

// URL is the address of a path of ours, like "/s/site/thread?page=x", below Base.
func (s *Set) URL(p string) string { return s.opts.Base + p }

// View is what a page's template sees: {{.L.T "form.name"}}, {{.D.Field}}.
type View struct {
	L *Locale
	D any
	// Title is the document's title, already in words.
	Title string
	// Classes are the body's.
	Classes string
	// NoIndex asks search engines to stay away.
	NoIndex bool
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Execute renders one template of a page ("layout" for the whole page, or a part by its
// name) into a buffer and returns a copy of the bytes.
func (s *Set) Execute(page, part string, v View) ([]byte, error) {
	set := s
	if s.opts.Dir != "" {
		fresh, err := New(s.opts)
		if err != nil {
			return nil, err
		}
		set = fresh
	}
	t, ok := set.pages[page]
	if !ok {
		return nil, fmt.Errorf("templates: no page %q", page)
	}
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	defer buffers.Put(buf)
	if err := t.ExecuteTemplate(buf, part, v); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return bytes.Clone(buf.Bytes()), nil
}

// Page renders a whole page and sends it; nothing is sent when it can't be rendered.
func (s *Set) Page(w http.ResponseWriter, status int, page string, v View) error {
	body, err := s.Execute(page, "layout", v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.L.Lang)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who has gone needs no answer
	return nil
}
