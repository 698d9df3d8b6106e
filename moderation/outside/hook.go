package outside

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"duyet/comments"
	"duyet/moderation/screen"
)

// hook is a site's, ready to be asked.
type hook struct {
	HookSettings
	at     *url.URL
	signer *standardwebhooks.Webhook // nil = there is no secret, or it can't be opened
	*record
}

// question is what a hook is asked.
type question struct {
	ID        string `json:"id"` // of this request
	Site      string `json:"site"`
	Page      string `json:"page"` // canonical key
	Name      string `json:"name"`
	Title     string `json:"title"`
	Content   string `json:"content"`
	Lang      string `json:"lang"`
	CreatedAt string `json:"created_at"`
}

// verdict is what a hook answers.
type verdict struct {
	Verdict string  `json:"verdict"` // "ok", "hold" or "spam"
	Reason  string  `json:"reason"`
	Places  []place `json:"places"`
}

type place struct {
	Field string `json:"field"`
	Start int    `json:"start"` // bytes of the text in UTF-8
	End   int    `json:"end"`
}

// placesMost bounds the places that a signal shows.
const placesMost = 20

func (o *Outside) lookHook(ctx context.Context, c comments.Candidate) ([]comments.Signal, error) {
	chosen, err := o.kept.Of(ctx, c.Site.ID)
	if err != nil || !chosen.hook.On {
		return nil, err
	}
	v, err := o.askHook(ctx, chosen.hook, c.Comment)
	if err != nil || v.Verdict == "ok" {
		return nil, err
	}
	s := comments.Signal{Level: comments.LevelHold, Code: screen.CodeHold, Places: v.placesIn(c.Comment)}
	reason := clip(comments.Clean(v.Reason), screen.ReasonMost)
	if reason != "" {
		s.Code, s.Args = screen.CodeHoldWhy, map[string]string{"reason": reason}
	}
	if v.Verdict == "spam" {
		s.Level, s.Code = comments.LevelSpam, map[string]string{screen.CodeHold: screen.CodeSpam, screen.CodeHoldWhy: screen.CodeSpamWhy}[s.Code]
	}
	return []comments.Signal{s}, nil
}

func (o *Outside) askHook(ctx context.Context, h hook, c comments.Comment) (v verdict, err error) {
	defer func() { o.noted(h.record, err) }()
	if h.signer == nil || h.at == nil {
		return v, &troubleError{TroubleSettings, 0}
	}
	_, err = h.breaker.Execute(func() (answer, error) {
		r, err := h.request(ctx, c)
		if err != nil {
			return answer{}, err
		}
		a, err := o.line.send(r, h.Within)
		if err != nil {
			return a, err
		}
		if v, err = readVerdict(a.body); err != nil {
			return a, &troubleError{TroubleAnswer, 0}
		}
		return a, nil
	})
	return v, err
}

// request is the signed question, of an id of its own.
func (h hook) request(ctx context.Context, c comments.Comment) (*http.Request, error) {
	id, now := "msg_"+rand.Text(), time.Now()
	body, err := json.Marshal(question{
		ID: id, Site: c.Site, Page: c.Page, Name: c.Name, Title: c.Title, Content: c.Content, Lang: c.Lang,
		CreatedAt: c.CreatedAt.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return nil, err
	}
	signature, err := h.signer.Sign(id, now, body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return r, nil
}

func readVerdict(body []byte) (v verdict, err error) {
	if err := json.Unmarshal(body, &v); err != nil {
		return v, err
	}
	switch v.Verdict {
	case "ok", "hold", "spam":
		return v, nil
	}
	return v, &troubleError{TroubleAnswer, 0}
}

// placesIn are the places that there are in a comment; others are left out.
func (v verdict) placesIn(c comments.Comment) (places []comments.Place) {
	texts := map[string]string{"name": c.Name, "title": c.Title, "content": c.Content}
	for _, p := range v.Places {
		text := texts[p.Field]
		if p.Start < 0 || p.Start >= p.End || p.End > len(text) || !utf8.ValidString(text[p.Start:p.End]) {
			continue
		}
		if places = append(places, comments.Place{Field: p.Field, Start: p.Start, End: p.End}); len(places) == placesMost {
			break
		}
	}
	return places
}

// clip is the beginning of a text, at most so many bytes, of whole characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
