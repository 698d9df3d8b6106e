package console

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sergi/go-diff/diffmatchpatch"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// judgeBytes is the most that a form about one comment's words may hold.
const judgeBytes = 256 << 10

// judgeRoutes are what is done with a comment beside deciding on it.
func (c *Console) judgeRoutes(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	const at = "/moderation/comments/{id}/"
	r.Handle(at+"answer", c.forModerators(c.showJudge("answer"))).Methods(get...)
	r.Handle(at+"answer", c.forModerators(c.answerReader)).Methods(http.MethodPost)
	r.Handle(at+"edit", c.forModerators(c.showJudge("edit"))).Methods(get...)
	r.Handle(at+"edit", c.forModerators(c.correct)).Methods(http.MethodPost)
	r.Handle(at+"mask", c.forModerators(c.mask)).Methods(http.MethodPost)
	r.Handle(at+"note", c.forModerators(c.showJudge("note"))).Methods(get...)
	r.Handle(at+"note", c.forModerators(c.leaveNote)).Methods(http.MethodPost)
	r.Handle(at+"pick", c.forModerators(c.pickOut)).Methods(http.MethodPost)
	r.Handle(at+"schedule", c.forModerators(c.showJudge("schedule"))).Methods(get...)
	r.Handle(at+"schedule", c.forModerators(c.schedule)).Methods(http.MethodPost)
	r.Handle(at+"thread", c.forModerators(c.showAround)).Methods(get...)
	r.Handle(at+"author", c.forModerators(c.showWritings)).Methods(get...)
}

// judging is what can be done with the comment of a proof beside deciding on it.
type judging struct {
	Path      string // of its pages, which end in what is done
	Back      string
	Version   uint64
	Once      string // of the form for an answer
	Voice     string // the newsroom's name
	Approves  bool   // an answer would approve what is answered
	Answers   bool   // it can be answered
	Picked    bool
	MayPick   bool
	Edited    bool
	Newsroom  bool
	Did       string // what the last form did
	Author    *authorView
	Revisions []revision
	Site      string
	Page      string   // key
	Gates     []choice // whom the page lets in
	BanURL    string   // to ban its author; "" without checks
	Appointed *appointed
	MaySet    bool   // a time at which it appears
	Soonest   string // such a time, as its field has it
	Latest    string
}

// authorView is what is known of who wrote a comment, in words.
type authorView struct {
	Key, Network   *writings
	Until          string // when the network is forgotten
	KeyURL, NetURL string
}

type writings struct {
	Words  string // "12 comments: 10 approved, 2 rejected"
	Latest []wrote
}

type wrote struct {
	Title, Name, URL, Status, StatusIcon, Lang string
	At                                         time.Time
}

// revision is what stood before a change, with what became of it.
type revision struct {
	At     time.Time
	By     string
	Fields []changedField
}

type changedField struct {
	Field string // in words
	Parts []diffPart
}

// diffPart is a stretch of text: "same", "gone" or "come".
type diffPart struct{ Kind, Text string }

// banURL leads to the form that bans whoever wrote a comment.
func (c *Console) banURL(site, id string) string {
	if c.cfg.Screening == nil {
		return ""
	}
	return c.set.URL(screeningAt("/moderation/bans", site, "comment", id))
}

func judgePath(id, what string) string {
	return "/moderation/comments/" + url.PathEscape(id) + "/" + what
}

// did are the words for what a form did, by what its answer's address says.
var did = []string{"answered", "corrected", "masked", "noted", "picked", "unpicked", "scheduled", "unscheduled"}

// judging completes a proof.
func (c *Console) judging(r *http.Request, v *visit, site comments.Site, view moderation.View, p place) (*judging, error) {
	id := string(view.ID)
	j := &judging{
		BanURL: c.banURL(view.Site, id), Path: c.set.URL(judgePath(id, "")), Back: c.set.URL(p.at(id).path(nil)), Version: view.Version, Once: once(v.now),
		Voice: site.Voice(), Approves: view.Status == comments.Pending, Picked: view.Marks.Has(comments.Pick),
		Answers: view.Standing() || view.Status == comments.Pending, MayPick: view.Standing() || view.Marks.Has(comments.Pick),
		Edited: view.Marks.Has(comments.EditedByDesk), Newsroom: view.Marks.Has(comments.Newsroom),
	}
	if p.Alone {
		j.Back = c.set.URL(p.alone(id).path(nil))
	}
	if said := r.URL.Query().Get("did"); slices.Contains(did, said) {
		j.Did = v.l.Say("judge.did." + said)
	}
	j.Site, j.Page = view.Site, view.Item.Page.Key
	for _, g := range []comments.Gate{comments.GateOpen, comments.GateHeld, comments.GateClosed} {
		j.Gates = append(j.Gates, choice{Value: string(g), Words: v.l.Say("gate." + string(g)), On: g == view.Item.Page.Gate()})
	}
	all, err := c.cfg.Service.Scheduled(r.Context(), v.who, view.Site)
	if err != nil {
		return nil, err
	}
	if one, ok := all[view.ID]; ok {
		j.Appointed = v.appointed(one, view.Version)
	}
	now := v.now.In(site.Settings.Location())
	j.MaySet, j.Soonest, j.Latest = view.Status == comments.Pending, now.Add(time.Minute).Format(scheduleForm), now.Add(moderation.ScheduleMost).Format(scheduleForm)
	if j.Author, err = c.authorView(r, v, view.Comment); err != nil {
		return nil, err
	}
	j.Revisions, err = c.revisions(r, v, view.Comment)
	return j, err
}

// once is a name for a form that may be sent once, with its end.
func once(now time.Time) string {
	name := make([]byte, 16)
	rand.Read(name) // never fails, see crypto/rand
	return hex.EncodeToString(name) + "." + strconv.FormatInt(now.Add(comments.AnswerFor).UnixMilli(), 10)
}

func parseOnce(s string) (id comments.TicketID, until time.Time, err error) {
	name, ms, ok := strings.Cut(s, ".")
	raw, bad := hex.DecodeString(name)
	n, worse := strconv.ParseInt(ms, 10, 64)
	if !ok || bad != nil || worse != nil || len(raw) != len(id) {
		return id, until, fmt.Errorf("once: %w", comments.ErrMalformed)
	}
	return comments.TicketID(raw), time.UnixMilli(n), nil
}

func (c *Console) authorView(r *http.Request, v *visit, comment comments.Comment) (*authorView, error) {
	if comment.Marks.Has(comments.Newsroom) {
		return nil, nil
	}
	h, err := c.cfg.Service.Author(r.Context(), v.who, comment)
	if err != nil {
		return nil, err
	}
	a := &authorView{Key: c.writings(v, h.Key), Network: c.writings(v, h.Network)}
	at := c.set.URL(judgePath(string(comment.ID), "author"))
	a.KeyURL, a.NetURL = at, at+"?by=network"
	if !h.Until.IsZero() {
		a.Until = v.l.Time(h.Until)
	}
	return a, nil
}

func (c *Console) writings(v *visit, w moderation.Writings) *writings {
	if !w.Known {
		return nil
	}
	return &writings{Words: v.tally(w.Counts), Latest: c.wroteList(v, w.Latest)}
}

func (c *Console) wroteList(v *visit, list []comments.Comment) (out []wrote) {
	for _, one := range list {
		title := one.Title
		if title == "" {
			title = excerpt(one.Content)
			if cut := []rune(title); len(cut) > 60 {
				title = string(cut[:60]) + "…"
			}
		}
		out = append(out, wrote{
			Title: title, Name: one.Name, Lang: one.Lang, At: one.CreatedAt, Status: v.status(one.Status), StatusIcon: statusIcons[one.Status],
			URL: c.set.URL(place{}.alone(string(one.ID)).path(nil)),
		})
	}
	return out
}

// tally is counts in words: "12 comments: 10 approved, 2 rejected".
func (v *visit) tally(n comments.Counts) string {
	var parts []string
	for _, s := range comments.Statuses {
		if k := n.Of(s); k > 0 {
			parts = append(parts, v.l.Say("judge.of_status", "Count", v.l.Number(k), "Status", strings.ToLower(v.status(s))))
		}
	}
	words, err := v.l.N("judge.comments", n.Total(), "Parts", strings.Join(parts, ", "))
	if err != nil {
		return strings.Join(parts, ", ")
	}
	return words
}

// revisions are the changes of a comment's words, the latest first.
func (c *Console) revisions(r *http.Request, v *visit, now comments.Comment) ([]revision, error) {
	list, err := c.cfg.Service.Revisions(r.Context(), v.who, now.ID)
	if err != nil {
		return nil, err
	}
	var out []revision
	after := now.Words()
	for _, was := range slices.Backward(list) {
		one := revision{At: was.At, By: v.actor(was.By)}
		for _, f := range [...]struct{ field, from, to string }{
			{"name", was.Words.Name, after.Name}, {"title", was.Words.Title, after.Title}, {"content", was.Words.Content, after.Content},
		} {
			if f.from != f.to {
				one.Fields = append(one.Fields, changedField{v.l.Say("judge.field." + f.field), diff(f.from, f.to)})
			}
		}
		if one.Fields != nil {
			out = append(out, one)
		}
		after = was.Words
	}
	return out, nil
}

// diff is what has gone from a text and what has come, by whole words where it can.
func diff(from, to string) []diffPart {
	d := diffmatchpatch.New()
	var parts []diffPart
	for _, one := range d.DiffCleanupSemantic(d.DiffMain(from, to, true)) {
		kind := "same"
		switch one.Type {
		case diffmatchpatch.DiffDelete:
			kind = "gone"
		case diffmatchpatch.DiffInsert:
			kind = "come"
		}
		parts = append(parts, diffPart{kind, one.Text})
	}
	return parts
}

// judgePage is one thing to do with a comment, on a page of its own.
type judgePage struct {
	frame
	SiteName string
	Deed     string
	Proof    *proof
	Trouble  string
	Errors   map[string]string
	Words    comments.Words // as typed
	Content  string         // of an answer
	Note     string
	Places   []maskPlace
	Texts    string
	Back     string
	Once     string
}

// maskPlace is a stretch that a check has found, to be masked or not.
type maskPlace struct{ Value, Text, Why string }

func (c *Console) showJudge(deed string) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		return c.judgePage(w, r, v, http.StatusOK, &judgePage{Deed: deed, Back: r.URL.Query().Get("back")})
	}
}

func (c *Console) judgePage(w http.ResponseWriter, r *http.Request, v *visit, status int, d *judgePage) error {
	id, err := comments.ParseID(mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	if !v.who.Can(moderation.Decide) {
		return comments.ErrForbidden
	}
	_, site, err := c.sites(r.Context(), v, id.Site())
	if err != nil { // whose comment it is stays unsaid
		return notFoundIfForbidden(err)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	p := place{Site: site.ID}.alone(string(id))
	d.frame, d.SiteName = c.frame(r, v, "queues"), site.Name
	if d.Proof, err = c.proof(r, v, site, p); err != nil {
		return err
	}
	if d.Back == "" {
		d.Back = c.set.URL(p.path(nil))
	}
	if d.Once == "" {
		d.Once = d.Proof.Judge.Once
	}
	view := d.Proof.view
	if status == http.StatusOK {
		d.Words = view.Words()
	}
	for i, s := range view.Signals {
		for _, place := range s.Places {
			if text := stretch(view.Comment, place); text != "" && len([]rune(text)) <= 80 {
				d.Places = append(d.Places, maskPlace{fmt.Sprintf("%s %d %d", place.Field, place.Start, place.End), text, d.Proof.Signals[i].Words})
			}
		}
	}
	title := v.l.Say("judge.title."+d.Deed) + " · Duyet"
	return c.set.Page(w, status, "console/judge", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// stretch is the text of a place.
func stretch(c comments.Comment, p comments.Place) string {
	text := map[string]string{"name": c.Name, "title": c.Title, "content": c.Content}[p.Field]
	if p.Start < 0 || p.End > len(text) || p.Start >= p.End {
		return ""
	}
	return text[p.Start:p.End]
}

// done leads back to where a form was, saying what it did.
func (c *Console) judged(w http.ResponseWriter, r *http.Request, what string) {
	back := c.localPath(r.PostForm.Get("back"))
	if back == "/moderation/" {
		back = "/moderation/comments/" + url.PathEscape(mux.Vars(r)["id"])
	}
	u, err := url.Parse(back)
	if err == nil {
		q := u.Query()
		for _, stale := range []string{"done", "lost", "tried"} {
			q.Del(stale)
		}
		q.Set("did", what)
		u.RawQuery = q.Encode()
		back = u.RequestURI()
	}
	c.redirect(w, r, back)
}

// misjudged shows a form again with what was wrong; what is no fault of the form is returned.
func (c *Console) misjudged(w http.ResponseWriter, r *http.Request, v *visit, d *judgePage, err error) error {
	var invalid *comments.InvalidError
	var lost *moderation.ConflictError
	status := http.StatusUnprocessableEntity
	d.Back, d.Errors = r.PostForm.Get("back"), map[string]string{}
	switch {
	case errors.As(err, &invalid):
		d.Trouble = v.l.Say("judge.wrong")
		for _, f := range invalid.Fields {
			d.Errors[f.Field] = v.l.Field(f)
		}
	case errors.As(err, &lost):
		status, d.Trouble = http.StatusConflict, v.l.Say("judge.changed", "Who", v.actor(lost.By), "At", v.l.Time(lost.At))
	case errors.Is(err, moderation.ErrNotPublic):
		status, d.Trouble = http.StatusConflict, v.l.Say("judge.not_public")
	case errors.Is(err, comments.ErrTicketSpent), errors.Is(err, comments.ErrTicketExpired):
		status, d.Trouble, d.Once = http.StatusConflict, v.l.Say("judge.sent_before"), ""
	default:
		return err
	}
	return c.judgePage(w, r, v, status, d)
}

// judgeForm reads a form about a comment, and the version it was seen at.
func judgeForm(w http.ResponseWriter, r *http.Request) (id string, version uint64, err error) {
	if err := readForm(w, r, judgeBytes); err != nil {
		return "", 0, err
	}
	version, err = sequence(r.PostForm.Get("version"))
	return mux.Vars(r)["id"], version, err
}

func (c *Console) answerReader(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, version, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	name, until, err := parseOnce(r.PostForm.Get("once"))
	if err != nil {
		return err
	}
	d := &judgePage{Deed: "answer", Content: r.PostForm.Get("content"), Once: r.PostForm.Get("once")}
	_, err = c.cfg.Service.Answer(r.Context(), v.who, moderation.Reply{ID: id, Version: version, Content: d.Content, Once: name, Until: until})
	if err != nil {
		return c.misjudged(w, r, v, d, err)
	}
	c.judged(w, r, "answered")
	return nil
}

func (c *Console) correct(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, version, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	f := r.PostForm
	d := &judgePage{Deed: "edit", Words: comments.Words{Name: f.Get("name"), Title: f.Get("title"), Content: f.Get("content")}, Note: f.Get("note")}
	_, err = c.cfg.Service.Correct(r.Context(), v.who, moderation.Correction{ID: id, Version: version, Words: d.Words, Note: d.Note})
	if err != nil {
		return c.misjudged(w, r, v, d, err)
	}
	c.judged(w, r, "corrected")
	return nil
}

func (c *Console) mask(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, version, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	f := r.PostForm
	red := moderation.Redaction{ID: id, Version: version, Note: f.Get("note"), Mask: c.set.Locale(f.Get("lang"), nil).Say("judge.mask")}
	for _, raw := range f["place"] {
		var p comments.Place
		if n, err := fmt.Sscanf(raw, "%s %d %d", &p.Field, &p.Start, &p.End); n != 3 || err != nil {
			return comments.ErrMalformed
		}
		red.Places = append(red.Places, p)
	}
	for line := range strings.Lines(comments.Clean(f.Get("texts"))) {
		red.Texts = append(red.Texts, line)
	}
	d := &judgePage{Deed: "edit", Texts: f.Get("texts"), Note: f.Get("note")}
	if _, err = c.cfg.Service.Mask(r.Context(), v.who, red); err != nil {
		if view, bad := c.cfg.Service.Comment(r.Context(), v.who, id); bad == nil {
			d.Words = view.Words()
		}
		return c.misjudged(w, r, v, d, err)
	}
	c.judged(w, r, "masked")
	return nil
}

func (c *Console) leaveNote(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, _, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	d := &judgePage{Deed: "note", Note: r.PostForm.Get("text")}
	if _, err = c.cfg.Service.NoteOn(r.Context(), v.who, id, d.Note); err != nil {
		return c.misjudged(w, r, v, d, err)
	}
	c.judged(w, r, "noted")
	return nil
}

func (c *Console) pickOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, version, err := judgeForm(w, r)
	if err != nil {
		return err
	}
	on := r.PostForm.Get("on") != ""
	if _, err = c.cfg.Service.PickOut(r.Context(), v.who, id, version, on); err != nil {
		return c.misjudged(w, r, v, &judgePage{Deed: "note"}, err)
	}
	if on {
		c.judged(w, r, "picked")
	} else {
		c.judged(w, r, "unpicked")
	}
	return nil
}
