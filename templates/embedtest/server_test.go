// Package embedtest holds the embedded element to its promises in a real browser: on a page
// of another origin, under a policy that forbids inline styles, eval and Trusted Types, with
// a service that answers in the contract's shapes.
package embedtest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"duyet/comments"
	"duyet/comments/live"
	"duyet/templates"
)

// rightCode is the code of every ticket.
const rightCode = "123456"

// service is the comment service as the element sees it: the real templates and assets, and
// canned answers.
type service struct {
	t      *testing.T
	tpl    *templates.Set
	hub    *live.Hub
	addr   string
	server *http.Server

	mu        sync.Mutex
	threads   map[string][]letter
	ticketTTL time.Duration
	tickets   int
	posts     []map[string]string
	limited   bool // posts are answered 429
	streams   bool // the fragment names its stream
	stale     bool // the fragment may be out of date
	seq       uint64
	asked     map[string]int // requests by path
}

// letter is one comment.
type letter struct{ ID, Name, Title, Content, Parent string }

func newService(t *testing.T) *service {
	t.Helper()
	tpl, err := templates.New(templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, tpl: tpl, hub: live.New(live.Config{}), threads: map[string][]letter{}, ticketTTL: 30 * time.Minute, asked: map[string]int{}}
	s.start()
	t.Cleanup(func() {
		s.stop()
		s.hub.Close()
	})
	return s
}

// start listens, on the port it had before, if any.
func (s *service) start() {
	s.t.Helper()
	at := s.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	ln := listenAt(s.t, at)
	s.addr = ln.Addr().String()
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func(srv *http.Server) { _ = srv.Serve(ln) }(s.server)
}

// listenAt listens on an address, once whoever had it before has let go.
func listenAt(t *testing.T, at string) (ln net.Listener) {
	t.Helper()
	eventually(t, "the service's port", func() (ok bool) {
		var err error
		ln, err = net.Listen("tcp", at)
		return err == nil
	})
	return ln
}

func (s *service) stop() { _ = s.server.Close() }

func (s *service) origin() string { return "http://" + s.addr }

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /embed.js", s.tpl.Embed())
	mux.Handle("GET /static/", http.StripPrefix("/static/", s.tpl.Static()))
	mux.HandleFunc("GET /s/{site}/fragment", s.fragment)
	mux.HandleFunc("GET /s/{site}/live", s.live)
	mux.HandleFunc("GET /api/v1/sites/{site}/counts", s.counts)
	mux.HandleFunc("POST /api/v1/sites/{site}/captcha", s.captcha)
	mux.HandleFunc("POST /api/v1/sites/{site}/comments", s.submit)
	mux.HandleFunc("POST /api/v1/sites/{site}/comments/check", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"nudges": []any{}, "held": true})
	})
	mux.HandleFunc("POST /api/v1/sites/{site}/comments/{id}/report", s.report)
	mux.HandleFunc("POST /api/v1/sites/{site}/mine", s.mine)
	mux.HandleFunc("GET /captcha/{file}", s.file)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.Method+" "+r.URL.Path]++
		s.mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "ETag, Retry-After, Duyet-Seq, Cache-Status")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Headers", "Accept-Language, Content-Type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// add puts comments on a page and tells of them.
func (s *service) add(page string, letters ...letter) {
	for _, l := range letters {
		s.mu.Lock()
		if l.ID == "" {
			l.ID = "ben~" + uuid.Must(uuid.NewV7()).String()
		}
		s.threads[page] = append(s.threads[page], l)
		s.seq++
		seq := s.seq
		s.mu.Unlock()
		s.hub.Observe(comments.Commit{Page: page, Event: comments.Event{
			Site: "ben", Seq: seq, Kind: comments.KindDecided, From: comments.Pending, To: comments.Approved,
		}})
	}
}

func (s *service) requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *service) posted() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// fragment renders a part of a thread with the real templates.
func (s *service) fragment(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, lang, sort := q.Get("page"), q.Get("lang"), q.Get("sort")
	if !templates.Known(lang) {
		lang = "vi"
	}
	s.mu.Lock()
	all, streams, seq, stale := slices.Clone(s.threads[page]), s.streams, s.seq, s.stale
	s.mu.Unlock()
	names := map[string]string{}
	for _, l := range all {
		names[l.ID] = l.Name
	}
	if sort == "newest" {
		slices.Reverse(all)
	} else {
		sort = "oldest"
	}
	total, from := len(all), 0
	if after := q.Get("after"); after != "" {
		from = 1 + slices.IndexFunc(all, func(l letter) bool { return string(comments.Cursor(comments.ID(l.ID))) == after })
	}
	all = all[from:]
	more := ""
	thread := s.origin() + "/s/" + r.PathValue("site") + "/thread?page=" + url.QueryEscape(page) + "&lang=" + lang
	if len(all) > comments.ThreadLimit {
		all = all[:comments.ThreadLimit]
		more = thread + "&sort=" + sort + "&after=" + comments.Cursor(comments.ID(all[len(all)-1].ID)) + "#binh-luan"
	}
	l := s.tpl.Locale(lang, time.UTC)
	list := []map[string]any{}
	for _, c := range all {
		at := time.Now().Add(-3 * time.Hour)
		anchor := "bl-" + comments.ID(c.ID).UUID().String()
		list = append(list, map[string]any{
			"Anchor": anchor, "Name": c.Name, "Title": c.Title, "HTML": templates.Text(c.Content), "ISO": l.ISO(at), "Time": l.Time(at),
			"Answer": thread + "&parent=" + url.QueryEscape(c.ID) + "#viet", "IsReply": c.Parent != "",
			"Here": "#" + anchor, "Link": thread + "&comment=" + url.QueryEscape(c.ID) + "#" + anchor,
			"Answers": answers(names, c.Parent), "To": l.Say("thread.reply_to"), "Reply": l.Say("thread.reply"),
			"Share": l.Say("thread.link"), "Says": l.Say("thread.says"), "Replies": l.Say("thread.replies"),
			"Permalink": l.Say("thread.permalink"), "Flag": l.Say("mine.report"), "Report": s.origin() + "/s/ben/comments/" + c.ID + "/report?lang=" + lang,
		})
	}
	data := map[string]any{
		"Count": int64(total), "Open": true, "Sort": sort, "Oldest": thread + "#binh-luan", "Newest": thread + "&sort=newest#binh-luan",
		"Write": thread + "#viet", "More": more, "Start": "", "Comments": list, "Shown": len(list), "Page": comments.Page{URL: page}, "Only": false,
		"Form": map[string]any{
			"Action": s.origin() + "/s/ben/comments?lang=" + lang, "Renew": "/api/v1/sites/ben/captcha", "Page": page, "PageTitle": "", "AskTitle": true, "TitleRequired": true, "Post": false,
			"NameMax": 80, "TitleMax": 200, "ContentMax": 5000, "ContentLong": 0, "NewlineFirst": false, "CodeFor": l.Wait(30 * time.Minute),
			"AddressesFor": l.Wait(90 * 24 * time.Hour), "By": map[string]any{}, "Errors": nil, "Notices": nil, "Reply": nil,
			"Ticket": "", "Code": "", "Name": "", "Title": "", "Content": "", "Parent": "", "Image": "", "Sound": "", "Expires": "",
			"CodeStatus": "", "NoCode": l.Say("embed.waits"), "Rules": "", "Privacy": "",
		},
	}
	v := templates.View{L: l, D: data}
	body, err := s.tpl.Execute("reader/fragment", "fragment", v)
	if err != nil {
		s.t.Error(err)
		return
	}
	text := strings.TrimSpace(string(body))
	if streams {
		text = strings.Replace(text, `<section class="dy"`, fmt.Sprintf(`<section class="dy" data-dy-live="/s/ben/live?page=%s"`, html.EscapeString(url.QueryEscape(page))), 1)
		w.Header().Set("Duyet-Seq", strconv.FormatUint(seq, 10))
	}
	if stale {
		w.Header().Set("Cache-Status", "duyet; hit; ttl=-7; detail=store-unreachable")
	}
	w.Header().Set("Cache-Control", "public, max-age=0, must-revalidate")
	w.Header().Set("ETag", fmt.Sprintf(`"%d-%d-%s"`, total, from, sort))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
}

func (s *service) live(w http.ResponseWriter, r *http.Request) {
	l, err := s.hub.Subscribe(r.Context(), "ben", r.FormValue("page"), netip.MustParseAddr("127.0.0.1"), live.After(r))
	if err != nil {
		live.Refuse(w)
		return
	}
	live.Serve(w, r, l)
}

func (s *service) counts(w http.ResponseWriter, r *http.Request) {
	page := r.FormValue("page")
	s.mu.Lock()
	n := len(s.threads[page])
	s.mu.Unlock()
	w.Header().Set("ETag", `"`+strconv.Itoa(n)+`"`)
	writeJSON(w, http.StatusOK, map[string]any{"counts": []map[string]any{{"page": page, "count": n}}})
}

func (s *service) captcha(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.tickets++
	ticket, ttl := "t"+strconv.Itoa(s.tickets), s.ticketTTL
	s.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{
		"ticket": ticket, "image": "/captcha/" + ticket + ".png", "audio": "/captcha/" + ticket + ".wav?lang=vi",
		"expires_at": time.Now().Add(ttl).UTC(),
	})
}

// submit judges names and codes alone.
func (s *service) submit(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.t.Error(err)
	}
	l := s.tpl.Locale(r.FormValue("lang"), time.UTC)
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.limited:
		err = &comments.LimitedError{RetryAfter: 90 * time.Second}
	case strings.Contains(in["name"], "cấm"):
		err = comments.Invalid("name", comments.CodeControl)
	case in["code"] != rightCode:
		err = comments.Invalid("code", comments.CodeCaptchaWrong)
	}
	if err != nil {
		p := s.tpl.Problem(err, l)
		for k, v := range p.GetHeaders() {
			w.Header()[k] = v
		}
		templates.WriteProblem(w, p)
		return
	}
	id := "ben~" + uuid.Must(uuid.NewV7()).String()
	in["id"] = id
	s.posts = append(s.posts, in)
	writeJSON(w, http.StatusCreated, map[string]any{
		"comment": map[string]any{"id": id, "status": "pending", "page": in["page"], "created_at": time.Now().UTC()},
		"receipt": "r-" + base64.RawURLEncoding.EncodeToString([]byte(id)), "receipt_code": "K7QX-29MD",
	})
}

// mine tells what has become of what was posted, to whoever asks.
func (s *service) mine(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []map[string]any{}
	for _, p := range s.posts {
		status := "pending"
		if slices.ContainsFunc(s.threads[p["page"]], func(l letter) bool { return l.ID == p["id"] }) {
			status = "approved"
		}
		list = append(list, map[string]any{
			"id": p["id"], "name": p["name"], "title": p["title"], "text": p["content"], "created_at": time.Now().UTC(),
			"status": status, "may_edit": false, "may_appeal": false, "receipt_code": "K7QX-29MD",
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"comments": list})
}

// report takes one that brings a code.
func (s *service) report(w http.ResponseWriter, r *http.Request) {
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.t.Error(err)
	}
	if in["code"] != rightCode || in["ticket"] == "" || in["reason"] != "spam" {
		code := comments.CodeRequired
		if in["code"] != "" {
			code = comments.CodeCaptchaWrong
		}
		templates.WriteProblem(w, s.tpl.Problem(comments.Invalid("code", code), s.tpl.Locale(r.FormValue("lang"), time.UTC)))
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{"reported": true})
}

// file is a ticket's image or sound.
func (s *service) file(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if strings.HasSuffix(r.PathValue("file"), ".png") {
		img := image.NewGray(image.Rect(0, 0, 240, 80))
		for i := range img.Pix {
			img.Pix[i] = 0xff
		}
		img.SetGray(120, 40, color.Gray{})
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(&b, img)
	} else {
		const rate, seconds = 8000, 4
		w.Header().Set("Content-Type", "audio/wav")
		b.WriteString("RIFF")
		_ = binary.Write(&b, binary.LittleEndian, uint32(36+rate*seconds))
		b.WriteString("WAVEfmt ")
		for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)} {
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
		b.WriteString("data")
		_ = binary.Write(&b, binary.LittleEndian, uint32(rate*seconds))
		b.Write(bytes.Repeat([]byte{0x80}, rate*seconds))
	}
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// host serves somebody else's pages on localhost, which is another site than 127.0.0.1,
// under as strict a policy as there is. It knows one page for each body it is given.
type host struct {
	origin string
	pages  map[string]string // path → body
	css    string
	script string // tag that brings the element
}

// newHost serves pages; css is their own style.
func newHost(t *testing.T, s *service, css string, pages map[string]string) *host {
	t.Helper()
	h := &host{pages: pages, css: css, script: `<script async src="` + s.origin() + `/embed.js"></script>`}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	h.origin = "http://localhost:" + port
	o := s.origin()
	policy := "default-src 'none'; style-src 'self'; script-src " + o + "; connect-src " + o + "; img-src " + o +
		"; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/style.css" {
			w.Header().Set("Content-Type", "text/css")
			_, _ = w.Write([]byte(h.css))
			return
		}
		body, ok := h.pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`+
			`<title>Phố đi bộ</title><link rel="icon" href="%s/captcha/icon.png"><link rel="stylesheet" href="/style.css">%s</head><body>%s</body></html>`, o, h.script, body)
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return h
}

// element is the tag for a page, with its link for when all else fails.
func element(s *service, page, more string) string {
	return fmt.Sprintf(`<duyet-comments site="ben" page="%s" %s><a class="inner" href="%s/s/ben/thread?page=%s">Đọc bình luận</a></duyet-comments>`,
		page, more, s.origin(), url.QueryEscape(page))
}

func letters(n int) []letter {
	list := make([]letter, n)
	for i := range list {
		list[i] = letter{Name: fmt.Sprint("Bạn đọc ", i+1), Title: fmt.Sprint("Thư số ", i+1), Content: "Đoạn từ cầu đến bến đò không có chỗ ngồi nào.\n\nMẹ tôi 78 tuổi."}
	}
	return list
}

// answers is whom a reply answers, nil for a comment on the article.
func answers(names map[string]string, parent string) map[string]any {
	if parent == "" {
		return nil
	}
	return map[string]any{"Name": names[parent], "Link": "#bl-" + comments.ID(parent).UUID().String()}
}
