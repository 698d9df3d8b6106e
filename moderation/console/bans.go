package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// bansPath is where bans are listed and made. With a comment's id it offers what that
// comment could be banned by.
const bansPath = "/moderation/bans"

// bansPage is the bans of a site, or one to work on.
type bansPage struct {
	screeningFrame
	MayBan bool
	Rows   []banRow
	NewURL string
	Form   *banForm
	Past   *pastView
}

type banRow struct {
	Kind, What, Effect, Reason string
	By, At, ISO                string
	Until                      string
	Over                       bool
	URL                        string
}

// banForm is a ban with what is typed as it was typed.
type banForm struct {
	Ban     screen.Ban
	Comment string   // whose ban it is to be
	Offers  []option // by number
	Kinds   []option
	Effects []option
	Fors    []option
	Until   string // of one that stands
	Bring   bool
	ListURL string
}

// banFor are the times for which one bans, by their value in the form.
var banFor = [...]struct {
	value string
	span  time.Duration
}{{"1d", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}, {"365d", 365 * 24 * time.Hour}, {"ever", 0}}

const (
	banForUsual = "7d"
	banForSame  = "same" // as long as it says already
)

func (c *Console) showBans(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	d, site, err := c.bansPage(r, v, q.Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	if brought, err := strconv.Atoi(q.Get("brought")); err == nil && brought > 0 && d.Done != "" {
		d.Done += ". " + count(v, "ban.brought", brought)
	}
	switch id := q.Get("ban"); {
	case id != "":
		ban, err := c.cfg.Screening.Bans.Ban(r.Context(), v.who, site.ID, id)
		if err != nil {
			return err
		}
		d.Form = &banForm{Ban: ban}
	case q.Get("comment") != "" || q.Has("new"):
		if !d.MayBan {
			return comments.ErrForbidden
		}
		d.Form = &banForm{Comment: q.Get("comment"), Ban: screen.Ban{Kind: screen.BanNetwork, Effect: screen.EffectHold}}
	}
	return c.answerBans(w, r, v, http.StatusOK, d, banForUsual, 0)
}

// count is a message that counts.
func count(v *visit, id string, n int) string {
	words, err := v.l.N(id, n)
	if err != nil {
		return id
	}
	return words
}

func (c *Console) bansPage(r *http.Request, v *visit, asked string) (d bansPage, site comments.Site, err error) {
	d.screeningFrame, site, err = c.screening(r, v, asked, bansPath)
	d.MayBan = site.ID != "" && v.who.May(moderation.Decide, site.ID)
	d.NewURL = c.set.URL(screeningAt(bansPath, site.ID, "new", "1"))
	return d, site, err
}

// answerBans sends the page: the form where there is one, else the list.
func (c *Console) answerBans(w http.ResponseWriter, r *http.Request, v *visit, status int, d bansPage, span string, offer int) error {
	if d.Form != nil {
		if err := c.fillBan(r, v, &d, span, offer); err != nil {
			return err
		}
		title := "ban.new"
		if d.Form.Ban.ID != "" {
			title = "ban.edit"
		}
		return c.screeningPage(w, v, status, "bans", title, d)
	}
	list, err := c.cfg.Screening.Bans.All(r.Context(), v.who, d.Site)
	if err != nil {
		return err
	}
	for _, b := range list {
		row := banRow{
			Kind: v.l.Say("ban.kind." + string(b.Kind)), What: banWhat(b), Effect: v.l.Say("ban.effect." + string(b.Effect)), Reason: b.Reason,
			By: v.actor(b.By), At: v.l.Time(b.At), ISO: v.l.ISO(b.At), Until: v.until(b), Over: b.Over(v.now),
		}
		if d.MayBan {
			row.URL = c.set.URL(screeningAt(bansPath, d.Site, "ban", b.ID))
		}
		d.Rows = append(d.Rows, row)
	}
	return c.screeningPage(w, v, status, "bans", "ban.title", d)
}

// banWhat is a ban's value as people read it.
func banWhat(b screen.Ban) string {
	if b.Kind == screen.BanText && b.Sample != "" {
		return "“" + b.Sample + "”"
	}
	return b.Value
}

func (v *visit) until(b screen.Ban) string {
	switch {
	case b.Expires.IsZero():
		return v.l.Say("ban.for.ever")
	case b.Over(v.now):
		return v.l.Say("ban.over", "At", v.l.Time(b.Expires))
	}
	return v.l.Time(b.Expires)
}

func (c *Console) fillBan(r *http.Request, v *visit, d *bansPage, span string, offer int) error {
	f := d.Form
	f.ListURL = c.set.URL(screeningAt(bansPath, d.Site))
	for _, k := range screen.BanKinds {
		f.Kinds = append(f.Kinds, option{string(k), v.l.Say("ban.kind." + string(k)), v.l.Say("ban.kind_help." + string(k)), k == f.Ban.Kind})
	}
	for _, e := range []screen.Effect{screen.EffectHold, screen.EffectSpam} {
		f.Effects = append(f.Effects, option{string(e), v.l.Say("ban.effect." + string(e)), v.l.Say("ban.effect_help." + string(e)), e == f.Ban.Effect})
	}
	if f.Ban.ID != "" {
		f.Until = v.until(f.Ban)
		f.Fors = append(f.Fors, option{Value: banForSame, Words: v.l.Say("ban.for.same", "Until", f.Until), Current: true})
		span = banForSame
	}
	for _, t := range banFor {
		f.Fors = append(f.Fors, option{Value: t.value, Words: v.l.Say("ban.for." + t.value), Current: t.value == span})
	}
	if f.Comment == "" {
		return nil
	}
	offers, err := c.offers(r, v, d.Site, f.Comment)
	if err != nil {
		return err
	}
	for i, b := range offers {
		f.Offers = append(f.Offers, option{strconv.Itoa(i), v.l.Say("ban.kind." + string(b.Kind)), banWhat(b), i == offer})
	}
	return nil
}

// offers is what a comment of the site could be banned by.
func (c *Console) offers(r *http.Request, v *visit, site, id string) ([]screen.Ban, error) {
	view, err := c.cfg.Service.Comment(r.Context(), v.who, id)
	if err != nil {
		return nil, err
	}
	if view.Site != site {
		return nil, comments.ErrNotFound
	}
	return c.cfg.Screening.Bans.Offers(r.Context(), v.who, view.Comment)
}

// workOnBan makes or changes a ban, lifts it, or tells what it would have hit.
func (c *Console) workOnBan(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, bodyMost); err != nil {
		return err
	}
	form := r.PostForm
	d, site, err := c.bansPage(r, v, form.Get("site"))
	if err != nil {
		return err
	}
	d.Form = &banForm{Comment: form.Get("comment"), Bring: form.Get("bring") != ""}
	version, err := sequence(form.Get("version"))
	if err != nil {
		return err
	}
	offer, span := 0, form.Get("for")
	b := screen.Ban{Kind: screen.BanKind(form.Get("kind")), Value: form.Get("value")}
	if n := form.Get("offer"); n != "" {
		offers, err := c.offers(r, v, site.ID, d.Form.Comment)
		if err != nil {
			return err
		}
		if offer, err = strconv.Atoi(n); err != nil || offer < 0 || offer >= len(offers) {
			return comments.ErrMalformed
		}
		b = offers[offer]
	}
	if id := form.Get("ban"); id != "" { // what it is stands; the rest may change
		if b, err = c.cfg.Screening.Bans.Ban(r.Context(), v.who, site.ID, id); err != nil {
			return err
		}
		b.Version = version
	}
	b.Site, b.Effect, b.Reason = site.ID, screen.Effect(form.Get("effect")), form.Get("reason")
	if span != banForSame {
		if b.Expires, err = expiry(span, v.now); err != nil {
			return err
		}
	}
	d.Form.Ban = b
	status, err := http.StatusOK, error(nil)
	bans, ctx := c.cfg.Screening.Bans, r.Context()
	switch form.Get("do") {
	case "ban":
		if _, err = bans.Make(ctx, v.who, b); err == nil {
			c.redirect(w, r, screeningAt(bansPath, site.ID, "done", "banned"))
			return nil
		}
	case "lift":
		brought := 0
		if brought, err = bans.Lift(ctx, v.who, site.ID, b.ID, version, d.Form.Bring); err == nil {
			c.redirect(w, r, screeningAt(bansPath, site.ID, "done", "lifted", "brought", strconv.Itoa(brought)))
			return nil
		}
	case "past":
		var past screen.Past
		if past, err = bans.WouldHave(ctx, v.who, b); err == nil {
			d.Past = c.pastView(v, site, past)
			d.Past.Said = v.l.Say("ban.past", "Looked", v.l.Number(past.Looked), "Hits", v.l.Number(past.Hits))
		}
	default:
		return comments.ErrMalformed
	}
	if err != nil {
		if status, err = d.refuse(v, err); err != nil {
			return err
		}
	}
	return c.answerBans(w, r, v, status, d, strings.TrimSpace(span), offer)
}

// expiry is when a ban for so long is over.
func expiry(span string, now time.Time) (time.Time, error) {
	for _, t := range banFor {
		switch {
		case t.value != span:
		case t.span == 0:
			return time.Time{}, nil
		default:
			return now.Add(t.span).UTC().Truncate(time.Second), nil
		}
	}
	return time.Time{}, comments.ErrMalformed
}
