package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"duyet/comments"
	"duyet/templates"
)

// rendering is what a render makes.
type rendering struct {
	body        []byte
	contentType string
	lang        string // "" for none
	list        templates.Prerendered
	thread      comments.Thread // without its comments, for the page around a list
	shown       []comments.ID   // what a list holds
	sort        comments.Sort   // in which it is
	query       treeQuery       // what a list answers
	// until is when it stops being true by itself; zero means never.
	until time.Time
	// seq is the place in the site's journal from which on readers listen for what is new,
	// 0 where none does.
	seq uint64
	// keep is false for what is not worth a place in the cache.
	keep bool
}

// entry is a rendering ready to be sent, in each encoding that was asked for. Only forms
// change once it stands.
type entry struct {
	rendering
	site, own *atomic.Uint64
	stamp     stamp
	likes     *liked    // of its page; nil where no likes are shown
	rendered  time.Time // before the store was read

	plain   form
	forms   [2]atomic.Pointer[form] // gzip, brotli; made when first asked for
	forming sync.Mutex

	contentTypeHeader, langHeader, seqHeader []string
}

type stamp struct{ site, own uint64 }

// form is a body in one encoding with the headers that go with it, made once: they are
// shared by all answers and never appended to.
type form struct {
	body                   []byte
	tag                    string
	etag, encoding, length []string
}

// Headers that all entries share.
var (
	// A browser or proxy may keep these reads, but asks each time whether they still stand;
	// a 304 costs a few hundred bytes and no rendering. So what a moderator approves, and
	// above all what one takes down, is everywhere at once.
	revalidate = []string{"public, max-age=0, must-revalidate"}
	dontKeep   = []string{noStore}
	vary       = []string{"Accept-Encoding"}
)

const (
	encodingGzip = iota
	encodingBrotli
	encodingNone
)

// compressLeast is the size in bytes below which compressing gains nothing: it fits one
// packet as it is.
const compressLeast = 1200

// brotliQuality makes a thread about 15 % smaller than gzip does, at 40 MB/s; higher ones
// take several times as long for another few percent.
const brotliQuality = 5

func (e *entry) fill(r rendering) {
	e.rendering = r
	sum := sha256.Sum256(r.body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:15])
	e.plain = newForm(r.body, tag, "")
	e.contentTypeHeader = []string{r.contentType}
	if r.lang != "" {
		e.langHeader = []string{r.lang}
	}
	if r.seq > 0 {
		e.seqHeader = []string{strconv.FormatUint(r.seq, 10)}
	}
}

func newForm(body []byte, tag, encoding string) form {
	f := form{body: body, tag: `"` + tag + `"`, length: []string{strconv.Itoa(len(body))}}
	f.etag = []string{f.tag}
	if encoding != "" {
		f.encoding = []string{encoding}
	}
	return f
}

// weight is the most bytes the entry can come to hold: compressed forms larger than half
// of the plain one are not kept.
func (e *entry) weight() int { return 2*len(e.body) + len(e.list.HTML()) }

// fresh reports whether nothing has changed since the entry was rendered.
func (e *entry) fresh(now func() time.Time) bool {
	return e.site.Load() == e.stamp.site && e.own.Load() == e.stamp.own && (e.until.IsZero() || now().Before(e.until)) &&
		(e.likes == nil || e.likes.counted(e.rendered, now))
}

// serve answers a GET or HEAD.
func (e *entry) serve(w http.ResponseWriter, r *http.Request) {
	f := e.choose(r.Header["Accept-Encoding"])
	h := w.Header()
	h["Access-Control-Allow-Origin"] = everyone
	h["Cache-Control"] = revalidate
	h["Vary"] = vary
	// Marked as stale, it is kept by nobody: a 304 leaves the mark on what a browser keeps.
	stale := h["Cache-Status"] != nil
	h["Etag"] = f.etag
	if e.seqHeader != nil {
		// Not in the body, whose tag is to stay the same for as long as its words do.
		h["Duyet-Seq"] = e.seqHeader
		h["Access-Control-Expose-Headers"] = exposedSeq
	}
	if stale {
		h["Access-Control-Expose-Headers"] = exposedStale
		h["Cache-Control"] = dontKeep
	}
	if match := r.Header["If-None-Match"]; !stale && len(match) > 0 && matches(match, f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = e.contentTypeHeader
	h["Content-Length"] = f.length
	if e.langHeader != nil {
		h["Content-Language"] = e.langHeader
	}
	if f.encoding != nil {
		h["Content-Encoding"] = f.encoding
	}
	_, _ = w.Write(f.body) // a reader who has gone needs no answer
}

// matches reports whether an If-None-Match names the tag. Weak ones count, since proxies
// that compress weaken tags (RFC 9110, section 13.1.2).
func matches(header []string, tag string) bool {
	for _, line := range header {
		if line == tag {
			return true
		}
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// choose is the smallest form that the client takes.
func (e *entry) choose(accept []string) *form {
	if len(accept) == 0 || len(e.body) < compressLeast {
		return &e.plain
	}
	encoding := accepted(accept[0])
	if encoding == encodingNone {
		return &e.plain
	}
	if f := e.forms[encoding].Load(); f != nil {
		return f
	}
	return e.compress(encoding)
}

// accepted is the best encoding that an Accept-Encoding takes; one with a weight of zero
// is refused.
func accepted(header string) int {
	best := encodingNone
	for len(header) > 0 {
		var one string
		one, header, _ = strings.Cut(header, ",")
		name, params, _ := strings.Cut(one, ";")
		switch strings.TrimSpace(name) {
		case "br":
			if !refused(params) {
				return encodingBrotli
			}
		case "gzip", "x-gzip":
			if !refused(params) {
				best = encodingGzip
			}
		}
	}
	return best
}

func refused(params string) bool {
	weight, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return false
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
	return err == nil && q == 0
}

// compress makes a form that is asked for the first time. Others who ask meanwhile wait
// for it.
func (e *entry) compress(encoding int) *form {
	e.forming.Lock()
	defer e.forming.Unlock()
	if f := e.forms[encoding].Load(); f != nil {
		return f
	}
	f := e.plain
	name, body := squeeze(encoding, e.body)
	if 0 < len(body) && len(body) <= len(e.body)/2 {
		f = newForm(body, strings.Trim(e.plain.tag, `"`)+"-"+name, name)
	}
	e.forms[encoding].Store(&f)
	return &f
}

// squeeze is a body compressed, or nothing when that fails.
func squeeze(encoding int, body []byte) (name string, out []byte) {
	var buf bytes.Buffer
	if encoding == encodingBrotli {
		z := brotli.NewWriterLevel(&buf, brotliQuality)
		if _, err := z.Write(body); err != nil || z.Close() != nil {
			return "br", nil
		}
		return "br", bytes.Clone(buf.Bytes())
	}
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(body); err != nil || z.Close() != nil {
		return "gzip", nil
	}
	return "gzip", bytes.Clone(buf.Bytes())
}
