package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
	"duyet/templates"
)

// actor is who did something: an e-mail where the id is a known moderator's.
func (v *visit) actor(id string) string { return actorIn(v.l, v.names, id) }

func actorIn(l *templates.Locale, names map[string]string, id string) string {
	if email := names[id]; email != "" {
		return email
	}
	switch id {
	case comments.ActorReader, comments.ActorOperator, comments.ActorSystem:
		return l.Say("actor." + id)
	case "":
		return l.Say("actor.nobody")
	}
	return l.Say("actor.gone", "ID", id)
}

// signalWords is what a check found, in words.
func signalWords(l *templates.Locale, s comments.Signal) string {
	pairs := make([]any, 0, 2*len(s.Args))
	for name, value := range s.Args {
		pairs = append(pairs, name, value)
	}
	if id := "signal." + s.Check + "." + s.Code; l.Has(id) {
		return l.Say(id, pairs...)
	}
	return l.Say("signal.unknown", "Check", s.Check, "Code", s.Code)
}

// signalIcons name the icon beside a check's words; others get the one for "look twice".
var signalIcons = map[string]string{
	"trap": "spam", "filltime": "clock", "links": "link", "shouting": "info", "words": "list", "repeats": "same", "learnt": "chart", "personal": "key", "shape": "info", "contacts": "phone",
}

// signal is what a check found, as the desk shows it.
type signal struct {
	Number int
	Words  string
	Where  string // "in the title, in the text", or ""
	Icon   string

	Campaign string // id by which the comments of its campaign are listed, or ""
}

func (v *visit) signals(found []comments.Signal) []signal {
	list := make([]signal, len(found))
	for i, s := range found {
		icon := signalIcons[s.Check]
		if icon == "" {
			icon = "warn"
		}
		var where []string
		for _, p := range s.Places {
			if in := v.l.Say("where." + p.Field); !slices.Contains(where, in) {
				where = append(where, in)
			}
		}
		list[i] = signal{Number: i + 1, Words: signalWords(v.l, s), Where: strings.Join(where, ", "), Icon: icon, Campaign: s.Args["campaign"]}
	}
	return list
}

// level is the heaviest of a comment's signals, for its bars and its word.
type level struct{ Class, Words string }

func (v *visit) level(found []comments.Signal) *level {
	class := ""
	for _, s := range found {
		switch {
		case s.Level == comments.LevelSpam:
			class = "high"
		case s.Level == comments.LevelHold && class != "high":
			class = "mid"
		case class == "":
			class = "low"
		}
	}
	if class == "" {
		return nil
	}
	return &level{class, v.l.Say("level." + class)}
}

// marks are the places of a field that signals point at, in order, none over another.
func marks(found []comments.Signal, field string) []templates.Span {
	var spans []templates.Span
	for i, s := range found {
		for _, p := range s.Places {
			if p.Field == field {
				spans = append(spans, templates.Span{Start: p.Start, End: p.End, Number: i + 1})
			}
		}
	}
	slices.SortFunc(spans, func(a, b templates.Span) int { return a.Start - b.Start })
	return spans
}

// reason is one of a site's reasons in words.
type reason struct {
	Code, Words string
	Key         string // the digit that marks it, "" past the ninth
	Tells       string // what an author reads who is refused for it
	Lang        string // of that
}

func (v *visit) reasonWords(code string) string {
	if v.said != nil && v.site != "" {
		if label := v.said(v.site, code, v.l.Lang).Label; label != "" {
			return label
		}
	}
	if id := "reason." + code; v.l.Has(id) {
		return v.l.Say(id)
	}
	return code
}

// tells is what an author of a language reads who is refused for a reason.
func (v *visit) tells(set *templates.Set, code, lang string) string {
	if v.said != nil && v.site != "" {
		if text := v.said(v.site, code, lang).Text; text != "" {
			return text
		}
	}
	l := set.Locale(lang, nil)
	if id := "refused." + code; l.Has(id) {
		return l.Say(id)
	}
	return l.Say("refused.by_rules")
}

func (v *visit) reasons(s comments.Site) []reason {
	list := make([]reason, len(s.Settings.Reasons))
	for i, code := range s.Settings.Reasons {
		list[i] = reason{Code: code, Words: v.reasonWords(code)}
		if i < 9 {
			list[i].Key = strconv.Itoa(i + 1)
		}
	}
	return list
}

// why is the reason of an event: a code in words, or what was typed.
func (v *visit) why(t comments.Transition) string {
	if t.Event.Reason != "" && t.Event.Reason != comments.ReasonTyped {
		return v.reasonWords(t.Event.Reason)
	}
	return t.Detail.Reason
}

// step is one thing that happened, in words.
type step struct {
	At     time.Time
	Who    string
	Icon   string
	What   string
	Change string // "Pending → Approved", or ""
	Why    string
	Note   string
}

var statusIcons = map[comments.Status]string{
	comments.Pending: "clock", comments.Approved: "check", comments.Rejected: "cross",
	comments.Spam: "spam", comments.Trashed: "trash",
}

func (v *visit) step(t comments.Transition) step {
	s := step{At: t.At, Who: v.actor(t.Actor), Why: v.why(t), Note: t.Note, What: v.kind(t.Kind)}
	if t.Kind == comments.KindDecided && t.To.Valid() {
		s.What = v.l.Say("event.decided." + string(t.To))
	}
	if t.From.Valid() && t.To.Valid() {
		s.Change = v.status(t.From) + " → " + v.status(t.To)
	} else if t.To.Valid() {
		s.Change = v.status(t.To)
	}
	switch {
	case t.Kind == comments.KindSubmitted:
		s.Icon = "pencil"
	case t.To.Valid():
		s.Icon = statusIcons[t.To]
	case strings.HasPrefix(string(t.Kind), "attack."):
		s.Icon = "warn"
	case strings.HasPrefix(string(t.Kind), "bulk."):
		s.Icon = "list"
	case strings.HasPrefix(string(t.Kind), "schedule."):
		s.Icon = "clock"
	case strings.HasPrefix(string(t.Kind), "page."), strings.HasPrefix(string(t.Kind), "site."):
		s.Icon = "gear"
	case strings.HasPrefix(string(t.Kind), "token."), strings.HasPrefix(string(t.Kind), "session."):
		s.Icon = "key"
	default:
		s.Icon = "user"
	}
	return s
}

// kind is an event's kind in words; one that this release doesn't know shows its name.
func (v *visit) kind(k comments.Kind) string {
	if id := "event." + string(k); v.l.Has(id) {
		return v.l.Say(id)
	}
	return string(k)
}

func (v *visit) status(s comments.Status) string { return v.l.Say("status." + string(s)) }

func (v *visit) history(list []comments.Transition) []step {
	steps := make([]step, len(list))
	for i, t := range list {
		steps[i] = v.step(t)
	}
	return steps
}
