package outside

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation/screen"
)

// akismet is a site's, ready to be asked; see https://akismet.com/developers/.
type akismet struct {
	AkismetSettings
	key   string // "" = there is none, or it can't be opened
	from  uint64
	since time.Time
	*record
}

// noted keeps how a call ended; that the asker has gone says nothing of the service.
func (o *Outside) noted(r *record, err error) {
	if err == context.Canceled {
		return
	}
	if t, _ := TroubleOf(err); err != nil && t == TroubleResting {
		return
	}
	r.note(o.cfg.Now(), err)
}

// The names of Akismet's methods, and what it answers.
const (
	commentCheck = "comment-check"
	submitSpam   = "submit-spam"
	submitHam    = "submit-ham"
	agentMost    = 512
)

// said is what Akismet makes of a comment.
type said struct{ spam, blatant bool }

func (o *Outside) lookAkismet(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
	chosen, err := o.kept.Of(ctx, c.Site.ID)
	if err != nil || !chosen.akismet.On {
		return nil, err
	}
	form := akismetForm(chosen.akismet, c.Comment, c.Page, c.Addr)
	if agent := strings.ToValidUTF8(clip(c.Agent, agentMost), ""); agent != "" {
		form.Set("user_agent", agent)
	}
	if referrer := strings.ToValidUTF8(clip(c.Referrer, URLMost), ""); referrer != "" {
		form.Set("referrer", referrer)
	}
	if c.Trap != "" {
		form.Set("honeypot_field_name", "website")
		form.Set("website", clip(c.Trap, agentMost))
	}
	s, err := o.askAkismet(ctx, chosen.akismet, form)
	switch {
	case err != nil || !s.spam:
		return nil, err
	case s.blatant:
		return []comments.Signal{{Level: comments.LevelSpam, Code: screen.CodeBlatant}}, nil
	}
	return []comments.Signal{{Level: comments.LevelSpam, Code: screen.CodeSpam}}, nil
}

// akismetForm is what Akismet is told of a comment.
func akismetForm(a akismet, c comments.Comment, page comments.Page, addr netip.Addr) url.Values {
	form := url.Values{
		"api_key": {a.key}, "blog": {a.Blog}, "blog_charset": {"UTF-8"}, "blog_lang": {c.Lang},
		"comment_type": {"comment"}, "comment_author": {c.Name}, "comment_content": {words(c)},
		"comment_date_gmt": {c.CreatedAt.UTC().Format(time.RFC3339)},
	}
	if c.Parent != "" {
		form.Set("comment_type", "reply")
	}
	if addr.IsValid() {
		form.Set("user_ip", addr.Unmap().String())
	}
	if page.URL != "" {
		form.Set("permalink", page.URL)
	}
	return form
}

// words are a comment's, with its title.
func words(c comments.Comment) string {
	if c.Title == "" {
		return c.Content
	}
	return c.Title + "\n\n" + c.Content
}

func (o *Outside) askAkismet(ctx context.Context, a akismet, form url.Values) (s said, err error) {
	defer func() { o.noted(a.record, err) }()
	if a.key == "" || form.Get("user_ip") == "" { // which it can't do without
		return s, &troubleError{TroubleSettings, 0}
	}
	_, err = a.breaker.Execute(func() (answer, error) {
		got, err := o.callAkismet(ctx, a, commentCheck, form)
		if err != nil {
			return got, err
		}
		switch strings.TrimSpace(string(got.body)) {
		case "true":
			s = said{spam: true, blatant: strings.EqualFold(got.header.Get("X-Akismet-Pro-Tip"), "discard")}
		case "false":
		default:
			return got, &troubleError{TroubleAnswer, 0}
		}
		return got, nil
	})
	return s, err
}

// callAkismet calls one of its methods. What it wants the operator to know is kept.
func (o *Outside) callAkismet(ctx context.Context, a akismet, method string, form url.Values) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.cfg.AkismetURL+method, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	got, err := o.line.send(r, akismetWithin)
	if err != nil {
		return got, err
	}
	alert := got.header.Get("X-Akismet-Alert-Code") + " " + got.header.Get("X-Akismet-Alert-Msg") + " " + got.header.Get("X-Akismet-Debug-Help")
	if alert = clip(comments.Clean(strings.ToValidUTF8(alert, "")), screen.ReasonMost); alert != "" {
		a.alert(o.cfg.Now(), alert)
	}
	if strings.TrimSpace(string(got.body)) == "invalid" {
		return got, &troubleError{TroubleKey, 0}
	}
	return got, nil
}
