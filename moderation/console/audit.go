package console

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// auditAsked is what a page of the journal is about.
type auditAsked struct {
	site     string
	group    string
	actor    string
	from, to string // days, as the fields of the form hold them
}

func askedAudit(q url.Values) auditAsked {
	return auditAsked{site: q.Get("site"), group: q.Get("group"), actor: q.Get("actor"), from: q.Get("from"), to: q.Get("to")}
}

// filter reads the days in the zone of the site. What is no day is ErrMalformed.
func (a auditAsked) filter(zone *time.Location) (f moderation.EventFilter, err error) {
	f = moderation.EventFilter{Group: moderation.EventGroup(a.group), Actor: a.actor}
	if f.From, err = dayStart(a.from, zone); err != nil {
		return f, err
	}
	if f.To, err = dayStart(a.to, zone); err != nil {
		return f, err
	}
	if !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1) // the day itself is meant too
	}
	return f, f.Check()
}

func dayStart(day string, zone *time.Location) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}, errors.Join(comments.ErrMalformed, err)
	}
	return t, nil
}

// values are the parameters that bring the same page again.
func (a auditAsked) values() url.Values {
	q := query("site", a.site)
	for name, value := range map[string]string{"group": a.group, "actor": a.actor, "from": a.from, "to": a.to} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (a auditAsked) path(c *Console, file string, before uint64) string {
	q := a.values()
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	return c.set.URL("/moderation/audit" + file + "?" + q.Encode())
}

// choices fill the form above the journal.
func (a auditAsked) choices(v *visit) (groups, actors []choice) {
	for _, g := range moderation.EventGroups {
		words := string(g)
		if g == moderation.EveryEvent {
			words = "all"
		}
		groups = append(groups, choice{Value: string(g), Words: v.l.Say("audit.group_" + words), On: a.group == string(g)})
	}
	actors = []choice{{Words: v.l.Say("audit.everybody"), On: a.actor == ""}}
	for _, id := range []string{comments.ActorReader, comments.ActorOperator, comments.ActorSystem} {
		actors = append(actors, choice{Value: id, Words: v.actor(id), On: a.actor == id})
	}
	var people []choice
	for id, email := range v.names {
		people = append(people, choice{Value: id, Words: email, On: a.actor == id})
	}
	slices.SortFunc(people, func(a, b choice) int { return strings.Compare(a.Words, b.Words) })
	return groups, append(actors, people...)
}

// chainState is what a check of the journal's chain has found.
type chainState struct {
	Good bool
	Seq  uint64
	At   time.Time
	What string // where it does not fit
}

// verifyJournal recomputes the chain, which takes a while, and shows the journal with what
// was found. It changes nothing; it is a POST so that nothing but the button starts it.
func (c *Console) verifyJournal(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, formBytes); err != nil {
		return err
	}
	a := askedAudit(r.PostForm)
	head, err := c.cfg.Service.VerifyJournal(r.Context(), v.who, a.site)
	state := &chainState{Good: true, Seq: head.Seq, At: v.now}
	if errors.Is(err, comments.ErrDamaged) {
		state.Good, state.What = false, err.Error()
	} else if err != nil {
		return err
	}
	return c.journalPage(w, r, v, a, 0, state)
}

// exportJournal sends the journal as far as the form's filter takes it.
func (c *Console) exportJournal(as func(io.Writer) auditWriter, kind, name string) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		a := askedAudit(r.URL.Query())
		_, site, err := c.journalSites(r, v, a.site)
		if err != nil {
			return err
		}
		f, err := a.filter(site.Settings.Location())
		if err != nil {
			return err
		}
		// Headers go out with the first line, so that what is refused is still answered so.
		var out auditWriter
		start := func() {
			if out == nil {
				h := w.Header()
				h.Set("Content-Type", kind)
				h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
				out = as(w)
			}
		}
		// A long journal takes longer than an answer may: each stride gets its time.
		control := http.NewResponseController(w)
		n := 0
		err = c.cfg.Service.Export(r.Context(), v.who, site.ID, f, func(e comments.Transition) error {
			if n++; n%1000 == 1 {
				_ = control.SetWriteDeadline(time.Now().Add(exportStride))
			}
			start()
			return out.event(e, v.actor(e.Actor))
		})
		if err != nil && out == nil {
			return err
		}
		start()
		if err != nil {
			// The answer has begun: cut it off, so that nobody takes a part for the whole.
			panic(http.ErrAbortHandler)
		}
		return out.end()
	}
}

// exportStride is how long sending a thousand entries may take.
const exportStride = time.Minute

// auditWriter writes a journal in one format.
type auditWriter interface {
	event(e comments.Transition, actor string) error
	end() error
}

type auditCSV struct{ w *csv.Writer }

var auditColumns = []string{"seq", "at", "actor_id", "actor", "kind", "comment_id", "subject", "from", "to", "version", "reason", "note", "chain"}

func newAuditCSV(w io.Writer) auditWriter {
	a := auditCSV{csv.NewWriter(w)}
	_ = a.w.Write(auditColumns) // its error comes back from Flush
	return a
}

func (a auditCSV) event(e comments.Transition, actor string) error {
	reason := e.Event.Reason
	if reason == "" {
		reason = e.Detail.Reason
	}
	row := []string{
		strconv.FormatUint(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), e.Actor, actor, string(e.Kind), string(e.Event.Comment), e.Subject,
		string(e.From), string(e.To), strconv.FormatUint(e.Version, 10), reason, e.Note, hex.EncodeToString(e.Chain),
	}
	for i, cell := range row {
		row[i] = inert(cell)
	}
	return a.w.Write(row)
}

func (a auditCSV) end() error {
	a.w.Flush()
	return a.w.Error()
}

// inert keeps a spreadsheet from taking a cell for a formula (OWASP, "CSV injection").
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

type auditLines struct{ enc *json.Encoder }

func newAuditLines(w io.Writer) auditWriter { return auditLines{json.NewEncoder(w)} }

// auditLine is an entry of the journal as a line of JSON.
type auditLine struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Kind    string    `json:"kind"`
	Comment string    `json:"comment_id,omitempty"`
	Subject string    `json:"subject,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Version uint64    `json:"version,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Note    string    `json:"note,omitempty"`
	Chain   string    `json:"chain"`
}

func (a auditLines) event(e comments.Transition, _ string) error {
	line := auditLine{
		Seq: e.Seq, At: e.At.UTC(), Actor: e.Actor, Kind: string(e.Kind), Comment: string(e.Event.Comment), Subject: e.Subject,
		From: string(e.From), To: string(e.To), Version: e.Version, Reason: e.Event.Reason, Note: e.Note, Chain: hex.EncodeToString(e.Chain),
	}
	if line.Reason == "" {
		line.Reason = e.Detail.Reason
	}
	return a.enc.Encode(line)
}

func (a auditLines) end() error { return nil }
