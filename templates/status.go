package templates

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
)

// statuses is the one table from an error's kind to a status, in the order in which kinds
// are looked for: an error may wrap several, the most telling first. The code names the
// problem in the document and its words in the catalogue ("problem.{code}").
var statuses = []struct {
	kind   error
	status int
	code   string
}{
	{comments.ErrMalformed, http.StatusBadRequest, "malformed"},
	{comments.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large"},
	{comments.ErrUnsupportedMedia, http.StatusUnsupportedMediaType, "unsupported_media_type"},
	{comments.ErrUnauthenticated, http.StatusUnauthorized, "unauthenticated"},
	{comments.ErrOriginNotAllowed, http.StatusForbidden, "origin_not_allowed"},
	{comments.ErrPageClosed, http.StatusForbidden, "page_closed"},
	{comments.ErrNotYours, http.StatusForbidden, "not_yours"},
	{comments.ErrTooLate, http.StatusForbidden, "too_late"},
	{comments.ErrForbidden, http.StatusForbidden, "forbidden"},
	{comments.ErrLimited, http.StatusTooManyRequests, "limited"},
	{comments.ErrInvalid, http.StatusUnprocessableEntity, "invalid"},
	{comments.ErrGone, http.StatusGone, "gone"},
	{comments.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable"},
	{context.Canceled, http.StatusServiceUnavailable, "unavailable"},
	{comments.ErrNotFound, http.StatusNotFound, "not_found"},
	{comments.ErrNoAppeal, http.StatusConflict, "no_appeal"},
	{comments.ErrConflict, http.StatusConflict, "conflict"},
}

// Status is the HTTP status an error is answered with; 500 for a fault of ours.
func Status(err error) int {
	status, _ := classify(err)
	return status
}

// Code names an error's kind, as in a problem document: "limited", "unavailable".
func Code(err error) string {
	_, code := classify(err)
	return code
}

func classify(err error) (status int, code string) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, "too_large"
	}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			return s.status, s.code
		}
	}
	return http.StatusInternalServerError, "internal"
}

// retryAfter is how long to wait before asking again, in whole seconds, or "".
func retryAfter(err error) string {
	var limited *comments.LimitedError
	switch {
	case errors.As(err, &limited):
		return strconv.Itoa(max(1, int((limited.RetryAfter+time.Second-1)/time.Second)))
	case Status(err) == http.StatusServiceUnavailable:
		return "5"
	}
	return ""
}

// Problem is a problem document (RFC 9457). It is an error, so that a handler can return
// it, and never holds anything that was sent.
type Problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Code   string        `json:"code"`
	Errors []ProblemItem `json:"errors,omitempty"`

	RetryAfter string `json:"-"` // for the header
}

// ProblemItem is what is wrong with one part of the request.
type ProblemItem struct {
	Location string `json:"location" doc:"Where: body.name, query.limit"`
	Code     string `json:"code" doc:"What, for programs"`
	Message  string `json:"message" doc:"What, in the reader's language"`
}

func (p *Problem) Error() string { return p.Title }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is what goes with the document.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfter != "" {
		h.Set("Retry-After", p.RetryAfter)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// ContentType makes huma answer with the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Problem puts an error into words.
func (s *Set) Problem(err error, l *Locale) *Problem {
	var ready *Problem
	if errors.As(err, &ready) {
		return ready
	}
	status, code := classify(err)
	p := &Problem{Type: "about:blank", Status: status, Code: code, Title: l.Say("problem." + code), RetryAfter: retryAfter(err)}
	var limited *comments.LimitedError
	if errors.As(err, &limited) {
		p.Detail = l.Say("problem.limited_until", "Wait", l.Wait(limited.RetryAfter))
	}
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		where := "body."
		if status == http.StatusBadRequest {
			where = "query."
		}
		for _, f := range invalid.Fields {
			p.Errors = append(p.Errors, ProblemItem{Location: where + f.Field, Code: f.Code, Message: l.Field(f)})
		}
	} else if code == "page_closed" {
		p.Errors = []ProblemItem{{Location: "body.page", Code: code, Message: p.Title}}
	}
	return p
}

// Field is a field's error in words: the message "field.{field}.{code}" where there is
// one, else "field.any.{code}". Of a path like "decisions[0].note" the last name counts.
func (l *Locale) Field(f comments.FieldError) string {
	name, _, _ := strings.Cut(f.Field[strings.LastIndexByte(f.Field, '.')+1:], "[")
	id := "field." + name + "." + f.Code
	if !l.Has(id) {
		id = "field.any." + f.Code
	}
	return l.Say(id, "Max", l.Number(f.Max))
}
