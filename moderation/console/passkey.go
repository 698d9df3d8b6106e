package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// Passkeys need a script: the browser makes and uses them by navigator.credentials. These
// answer its requests, in JSON, from the desk's own pages alone.

// passkeyBytes is the most that a browser's answer may hold.
const passkeyBytes = 64 << 10

// passkeyRequest is what the desk's script sends.
type passkeyRequest struct {
	Password string          `json:"password"`
	Name     string          `json:"name"`
	Key      string          `json:"key"`
	Next     string          `json:"next"`
	Answer   json.RawMessage `json:"answer"`
}

// deskOrigin is where the browser sees the desk.
func (c *Console) deskOrigin(r *http.Request) *url.URL {
	if c.cfg.BaseURL != nil {
		return c.cfg.BaseURL
	}
	scheme := "http"
	if c.secure(r) {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: r.Host}
}

func readPasskey(w http.ResponseWriter, r *http.Request) (q passkeyRequest, err error) {
	if r.Header.Get("Content-Type") != "application/json" {
		return q, comments.ErrUnsupportedMedia
	}
	r.Body = http.MaxBytesReader(w, r.Body, passkeyBytes)
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return q, err
		}
		return q, errors.Join(comments.ErrMalformed, err)
	}
	return q, nil
}

func answerJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// passkeyTrouble is what the script shows when something was wrong.
func (c *Console) passkeyTrouble(w http.ResponseWriter, l *templates.Locale, err error) error {
	var invalid *comments.InvalidError
	var limited *comments.LimitedError
	status, say := http.StatusUnprocessableEntity, ""
	switch {
	case errors.As(err, &limited):
		c.retryAfter(w, limited)
		status, say = http.StatusTooManyRequests, l.Say("signin.limited_help", "Wait", l.Wait(limited.RetryAfter))
	case errors.As(err, &invalid):
		say = accountError(l, invalid.Fields[0])
	case errors.Is(err, moderation.ErrNoPasskey):
		say = l.Say("passkey.refused")
	default:
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(map[string]string{"message": say})
}

func ceremonyAnswer(w http.ResponseWriter, made moderation.Ceremony) error {
	return answerJSON(w, map[string]any{"key": made.Key, "options": made.Options})
}

func (c *Console) beginPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	q, err := readPasskey(w, r)
	if err != nil {
		return err
	}
	made, err := c.cfg.Service.BeginPasskey(r.Context(), v.who, c.deskOrigin(r), q.Password, c.from(r))
	if err != nil {
		return c.passkeyTrouble(w, v.l, err)
	}
	return ceremonyAnswer(w, made)
}

func (c *Console) finishPasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	q, err := readPasskey(w, r)
	if err != nil {
		return err
	}
	if err := c.cfg.Service.FinishPasskey(r.Context(), v.who, c.deskOrigin(r), q.Key, q.Name, q.Answer); err != nil {
		return c.passkeyTrouble(w, v.l, err)
	}
	return answerJSON(w, map[string]string{"next": c.set.URL(accountPath + "?done=passkey")})
}

func (c *Console) beginPasskeySignIn(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	made, err := c.cfg.Service.BeginPasskeySignIn(r.Context(), c.deskOrigin(r), c.from(r))
	if err != nil {
		return c.passkeyTrouble(w, l, err)
	}
	return ceremonyAnswer(w, made)
}

func (c *Console) passkeySignIn(w http.ResponseWriter, r *http.Request, l *templates.Locale) error {
	q, err := readPasskey(w, r)
	if err != nil {
		return err
	}
	who, err := c.cfg.Service.PasskeySignIn(r.Context(), c.deskOrigin(r), q.Key, q.Answer, c.from(r))
	if err != nil {
		return c.passkeyTrouble(w, l, err)
	}
	if err := c.begin(w, r, who); err != nil {
		return err
	}
	return answerJSON(w, map[string]string{"next": c.set.URL(c.localPath(q.Next))})
}
