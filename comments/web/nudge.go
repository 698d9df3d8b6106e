package web

import (
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/templates"
)

// wordsBody is the body of words that are not sent yet.
type wordsBody struct {
	Page    string `json:"page"`
	Name    string `json:"name,omitempty"`
	Title   string `json:"title,omitempty"`
	Content string `json:"content,omitempty"`
}

type nudgesBody struct {
	Nudges []nudge `json:"nudges" doc:"Kind words about what a moderator would want to look at first; none when there is nothing"`
	Held   bool    `json:"held" doc:"The words, sent as they are, wait for a moderator"`
}

type nudge struct {
	Check   string   `json:"check"`
	Message string   `json:"message"`
	Fields  []string `json:"fields" doc:"Where it is: name, title, content"`
}

type nudgesOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         nudgesBody
}

// checkWords answers POST /api/v1/sites/{site}/comments/check.
func (d *Door) checkWords(ctx context.Context, in *posted) (*nudgesOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	lang := d.answerLang(in.request, in.Lang, site)
	signals, err := d.svc.Nudge(ctx, site, comments.Submission{
		Page: f.text["page"], Name: f.text["name"], Title: f.text["title"], Content: f.text["content"], Lang: lang,
	}, d.cfg.ClientIP(in.request))
	if err != nil {
		return nil, err
	}
	out := &nudgesOutput{CacheControl: noStore, Body: nudgesBody{Nudges: []nudge{}, Held: site.Settings.Mode == comments.PreModerated}}
	l := d.locale(lang, site)
	for _, s := range signals {
		out.Body.Held = out.Body.Held || s.Level != comments.LevelInfo
		one := nudge{Check: s.Check, Message: nudgeWords(l, s), Fields: []string{}}
		for _, p := range s.Places {
			if !slices.Contains(one.Fields, p.Field) {
				one.Fields = append(one.Fields, p.Field)
			}
		}
		if !slices.ContainsFunc(out.Body.Nudges, func(n nudge) bool { return n.Message == one.Message }) {
			out.Body.Nudges = append(out.Body.Nudges, one)
		}
	}
	return out, nil
}

// nudgeWords is a signal as its author may read it: a list's own hint, else the words of
// its check. The words that tripped it are not named, but shown by their places.
func nudgeWords(l *templates.Locale, s comments.Signal) string {
	if hint := s.Args["hint"]; hint != "" {
		return hint
	}
	for _, id := range []string{"nudge.say." + s.Check + "." + s.Code, "nudge.say." + s.Check} {
		if l.Has(id) {
			return l.Say(id)
		}
	}
	return l.Say("nudge.say.anything")
}

func (d *Door) registerNudge() {
	op := d.operation("check-words", "comments/check", "Ask what a moderator would want to look at",
		"Stores nothing and spends nothing. Whatever it says, the words may be sent.", reflect.TypeFor[wordsBody]())
	op.DefaultStatus = http.StatusOK
	body := op.RequestBody.Content
	media := body["application/json"]
	huma.Register(d.cfg.API, op, d.checkWords)
	onlyJSON(body, media)
}
