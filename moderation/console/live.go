package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// Bounds of the desk's streams.
const (
	liveMost      = 2000                  // at once
	liveOfOne     = 20                    // of one person
	liveBeat      = 15 * time.Second      // between signs of life of an idle one
	liveLook      = 2 * time.Second       // between looks at what colleagues on other nodes have open
	liveRest      = 15 * time.Millisecond // between two messages: what comes faster is told together
	liveWrite     = 10 * time.Second      // for a client to take a message
	liveEventMost = 200                   // of the journal in one message; past it the page has to be looked at
)

// live is who listens to the desk's streams.
type live struct {
	mu      sync.Mutex
	end     chan struct{} // closed when all are to end
	ended   bool
	all     map[*listener]bool
	persons map[string]int
}

type listener struct {
	site, who string
	wake      chan struct{}
}

func newLive() *live {
	return &live{end: make(chan struct{}), all: map[*listener]bool{}, persons: map[string]int{}}
}

// Observe is told of commits: give it to the store (comments.Observable).
func (c *Console) Observe(commit comments.Commit) { c.live.touch(commit.Event.Site) }

// EndLive ends all streams at once, and those that come later.
func (c *Console) EndLive() {
	c.live.mu.Lock()
	defer c.live.mu.Unlock()
	if !c.live.ended {
		c.live.ended = true
		close(c.live.end)
	}
}

// touch wakes those who listen to a site. What happens to the installation, such as people
// and sessions, concerns everybody.
func (v *live) touch(site string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for l := range v.all {
		if l.site == site || site == comments.Installation || l.site == comments.Installation {
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

// join is nil when there is no room.
func (v *live) join(site, who string) *listener {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended || len(v.all) >= liveMost || v.persons[who] >= liveOfOne {
		return nil
	}
	l := &listener{site, who, make(chan struct{}, 1)}
	v.all[l] = true
	v.persons[who]++
	return l
}

func (v *live) leave(l *listener) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, l)
	if v.persons[l.who]--; v.persons[l.who] == 0 {
		delete(v.persons, l.who)
	}
}

// news is what the script is told of a site.
type news struct {
	tally
	Stale  bool       `json:"stale,omitempty"` // too much has happened to tell
	Events []happened `json:"events,omitempty"`
	Open   []reading  `json:"open"`
}

// happened is one event about a comment.
type happened struct {
	Seq  uint64 `json:"seq"`
	ID   string `json:"id"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	Mine bool   `json:"mine,omitempty"`
	Say  string `json:"say,omitempty"` // who did what when
}

// reading is a comment that a colleague has open.
type reading struct {
	ID       string `json:"id"`
	Who      string `json:"who"`
	Initials string `json:"initials"`
	Say      string `json:"say"`
}

// listen answers GET /moderation/live: a stream of news of a site, from the sequence number
// of its journal in Last-Event-ID or the parameter after, or, asked for JSON, what stands now.
func (c *Console) listen(w http.ResponseWriter, r *http.Request, v *visit) error {
	asked := r.URL.Query().Get("site")
	_, site, err := c.scope(r.Context(), v, asked)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return comments.ErrForbidden
	}
	c.inZoneOf(v, site)
	if asked == comments.Installation { // all that are the person's
		site.ID = asked
	}
	after, err := c.liveAfter(r, v, site.ID)
	if err != nil {
		return err
	}
	if templates.PrefersJSON(r) {
		n, err := c.news(r, v, site.ID, after, nil)
		if err != nil {
			return err
		}
		return answerJSON(w, n)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == http.MethodHead {
		return nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // a server's limits are for answers that end
	send := func(b []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(liveWrite))
		_, err := w.Write(b)
		return err == nil && control.Flush() == nil
	}
	l := c.live.join(site.ID, v.who.ID)
	if l == nil {
		send([]byte("event: poll\ndata: {}\n\n"))
		return nil
	}
	defer c.live.leave(l)
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	if send([]byte("retry: 3000\n\n")) {
		c.stream(r, v, l, after, send)
	}
	return nil
}

func (c *Console) liveAfter(r *http.Request, v *visit, site string) (uint64, error) {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if text != "" {
			return sequence(text)
		}
	}
	t, err := c.tally(r, v, site)
	return t.Seq, err
}

// stream tells until the client goes, the person may no longer look, or the program ends.
func (c *Console) stream(r *http.Request, v *visit, l *listener, after uint64, send func([]byte) bool) {
	beat, look := time.NewTicker(liveBeat), time.NewTicker(liveLook)
	defer beat.Stop()
	defer look.Stop()
	var open []reading
	first, idle, seen := true, false, map[string]uint64{}
	for {
		who, err := c.resume(r)
		if err != nil || !who.Can(moderation.See) || l.site != comments.Installation && !who.On(l.site) {
			if errors.Is(err, comments.ErrUnauthenticated) {
				send([]byte("event: bye\ndata: {}\n\n"))
			}
			return
		}
		v.who = who
		n, err := c.news(r, v, l.site, after, seen)
		switch {
		case err != nil:
			return // the browser comes back by itself
		case first || n.Seq != after || !slices.Equal(n.Open, open):
			if !send(n.message()) {
				return
			}
		case idle && !send([]byte(":\n\n")):
			return
		}
		after, open, first, idle = n.Seq, n.Open, false, false
		select {
		case <-r.Context().Done():
			return
		case <-c.live.end:
			return
		case <-beat.C:
			idle = true
		case <-look.C:
		case <-l.wake:
			select {
			case <-time.After(liveRest):
			case <-c.live.end:
				return
			}
		}
	}
}

func (n news) message() []byte {
	var b bytes.Buffer
	data, err := json.Marshal(n)
	if err != nil { // of strings and numbers: can't be
		return nil
	}
	b.WriteString("id: " + strconv.FormatUint(n.Seq, 10) + "\nevent: news\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}

// news reads what a person is told of a site since a sequence number: the counts, and the
// events up to the very point where they were counted. Of all sites together the sequence
// number is the sum of theirs, and seen is how far each of them was told; without it the page
// has to be looked at.
func (c *Console) news(r *http.Request, v *visit, site string, after uint64, seen map[string]uint64) (n news, err error) {
	if n.tally, err = c.tally(r, v, site); err != nil {
		return n, err
	}
	if n.Open, err = c.readings(r, v, site); err != nil {
		return n, err
	}
	if site == comments.Installation {
		return n, c.newsOfAll(r, v, &n, after, seen)
	}
	if after > n.Seq || n.Seq-after > liveEventMost {
		n.Stale = true
		return n, nil
	}
	if after == n.Seq {
		return n, nil
	}
	n.Events, err = c.happened(r, v, site, after, n.Seq)
	return n, err
}

// newsOfAll adds the events of all sites, each of which counts as the last of them.
func (c *Console) newsOfAll(r *http.Request, v *visit, n *news, after uint64, seen map[string]uint64) error {
	sites, err := c.cfg.Service.Sites(r.Context(), v.who)
	if err != nil {
		return err
	}
	begins := len(seen) == 0
	n.tally = tally{Counts: map[string]int64{}}
	type stretch struct {
		site       string
		from, upTo uint64
	}
	var more []stretch
	for _, site := range sites {
		t, err := c.cfg.Service.Tally(r.Context(), v.who, site.ID)
		if err != nil {
			return err
		}
		n.Seq += t.Seq
		for queue, k := range t.Counts {
			n.Counts[queue] += k
		}
		from, known := seen[site.ID]
		if seen != nil {
			seen[site.ID] = t.Seq
		}
		switch {
		case !known || t.Seq <= from:
		case t.Seq-from > liveEventMost:
			n.Stale = true
		default:
			more = append(more, stretch{site.ID, from, t.Seq})
		}
	}
	n.Stale = n.Stale || begins && n.Seq != after
	for _, one := range more {
		events, err := c.happened(r, v, one.site, one.from, one.upTo)
		if err != nil {
			return err
		}
		for _, h := range events {
			h.Seq = n.Seq
			n.Events = append(n.Events, h)
		}
	}
	return nil
}

// happened are the events about comments of a site between two sequence numbers.
func (c *Console) happened(r *http.Request, v *visit, site string, after, upTo uint64) (list []happened, err error) {
	page, err := c.cfg.Service.Events(r.Context(), v.who, site, after, liveEventMost)
	if err != nil {
		return nil, err
	}
	for _, e := range page.Events {
		if e.Seq > upTo || e.Comment == "" {
			continue
		}
		h := happened{Seq: e.Seq, ID: string(e.Comment), From: string(e.From), To: string(e.To), Mine: e.Actor == v.who.ID}
		if !h.Mine && e.To.Valid() {
			h.Say = v.l.Say("conflict."+string(e.To), "Who", v.actor(e.Actor), "At", v.l.Time(e.At))
		}
		list = append(list, h)
	}
	return list, nil
}

// readings are the comments that colleagues have open.
func (c *Console) readings(r *http.Request, v *visit, site string) ([]reading, error) {
	sites := []string{site}
	if site == comments.Installation {
		all, err := c.cfg.Service.Sites(r.Context(), v.who)
		if err != nil {
			return nil, err
		}
		sites = sites[:0]
		for _, one := range all {
			sites = append(sites, one.ID)
		}
	}
	list := []reading{}
	for _, site := range sites {
		leases, err := c.cfg.Service.Leases(r.Context(), v.who, site)
		if err != nil {
			return nil, err
		}
		for _, l := range leases {
			if l.Holder == v.who.ID || len(list) > 0 && list[len(list)-1].ID == string(l.Comment) {
				continue
			}
			who := v.actor(l.Holder)
			name, _, _ := strings.Cut(who, "@")
			list = append(list, reading{string(l.Comment), name, initials(who), v.l.Say("live.reading", "Who", name)})
		}
	}
	return list, nil
}

// present answers POST /moderation/presence: the tab has a comment open, or none.
func (c *Console) present(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, 4<<10); err != nil {
		return err
	}
	q := r.PostForm
	if err := c.cfg.Service.Open(r.Context(), v.who, q.Get("site"), q.Get("tab"), q.Get("comment")); err != nil {
		return err
	}
	c.live.touch(q.Get("site"))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBy is the colleague who has a comment open, or nil.
func readBy(list []reading, id string) *reading {
	if i := slices.IndexFunc(list, func(one reading) bool { return one.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

// unread is the first comment that no colleague has open, else the first; "" of none.
func unread(items []moderation.Item, list []reading) string {
	for _, item := range items {
		if readBy(list, string(item.ID)) == nil {
			return string(item.ID)
		}
	}
	if len(items) > 0 {
		return string(items[0].ID)
	}
	return ""
}
