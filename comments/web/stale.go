package web

import (
	"net/http"
	"strconv"
	"time"

	"duyet/templates"
)

// A node that can't reach its store can't hear of decisions made elsewhere. What stands in
// its cache was true when it was last heard of, and is served for a while longer, but says
// so: by Cache-Status with a negative ttl (RFC 9211), the seconds since when it may be
// wrong, and on our own pages in words. What is known to have changed is never served.

const (
	// cutOffAfter is the silence after which a node is cut off: several polls of its store.
	cutOffAfter = 3 * time.Second
	// DefaultStaleFor is how long after that it goes on serving from memory.
	DefaultStaleFor = 10 * time.Minute
)

// silence is for how many seconds the node has been cut off; 0 when it is not.
func (d *Door) silence() time.Duration {
	if d.cfg.Behind == nil {
		return 0
	}
	behind := d.cfg.Behind()
	if behind < cutOffAfter {
		return 0
	}
	return behind.Truncate(time.Second)
}

// trusts reports whether answers may still be served from memory.
func (d *Door) trusts() bool {
	return d.cfg.Behind == nil || d.cfg.Behind() < cutOffAfter+d.cfg.StaleFor
}

// markStale tells caches and programs that an answer may be out of date.
func markStale(w http.ResponseWriter, silence time.Duration) {
	if silence > 0 {
		w.Header()["Cache-Status"] = []string{
			"duyet; hit; ttl=-" + strconv.FormatInt(int64(silence/time.Second), 10) + "; detail=store-unreachable",
		}
	}
}

// staleNotice tells readers.
func staleNotice(p *pageData, l *templates.Locale, silence time.Duration) {
	if silence > 0 {
		p.Notices = append(p.Notices, noticeData{Kind: "look", Icon: "info", Title: l.Say("stale.title"), Lines: []string{l.Say("stale.help")}})
	}
}
