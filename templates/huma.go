package templates

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// UseProblems makes huma answer every error, its own and those that operations return, with
// a Problem in the language of the request. Call it before any operation is registered.
// huma keeps its error model as package state, so this is the one place that touches it.
//
// An operation returns errors of the services as they are; what its own reading of the
// request finds wrong in a path, query or header is 400, in a body 422.
func UseProblems(s *Set) {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		p := s.humaProblem(requestLocale(s, ctx), status, errs)
		if ctx != nil {
			if len(errs) == 1 {
				s.Log(ctx.Context(), ctx.Method(), urlPath(ctx), p.Status, errs[0])
			}
			for name, values := range p.GetHeaders() {
				ctx.SetHeader(name, values[0])
			}
			ctx.SetHeader("Cache-Control", "no-store")
		}
		return p
	}
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return s.humaProblem(s.Locale("", nil), status, errs)
	}
}

func urlPath(ctx huma.Context) string {
	u := ctx.URL()
	return u.Path
}

// requestLocale is the language that UseLocale chose, else what the request asks for.
func requestLocale(s *Set, ctx huma.Context) *Locale {
	if ctx == nil {
		return s.Locale("", nil)
	}
	if l := chosenLocale(ctx.Context()); l != nil {
		return l
	}
	lang := ctx.Query("lang")
	if !Known(lang) {
		lang = s.Accepted(ctx.Header("Accept-Language"))
	}
	return s.Locale(lang, nil)
}

func (s *Set) humaProblem(l *Locale, status int, errs []error) *Problem {
	// huma says 500 of an error it knows nothing of: it is one of the services'.
	if status == http.StatusInternalServerError && len(errs) == 1 && errs[0] != nil {
		return s.Problem(errs[0], l)
	}
	p := &Problem{Type: "about:blank"}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if !errors.As(err, &detailer) {
			continue
		}
		d := detailer.ErrorDetail()
		if status == http.StatusUnprocessableEntity && !strings.HasPrefix(d.Location, "body") {
			status = http.StatusBadRequest
		}
		code := validationCode(d.Message)
		// The value that huma would echo is left out: an answer never holds what was sent.
		p.Errors = append(p.Errors, ProblemItem{Location: d.Location, Code: code, Message: l.Say("field.any." + code)})
	}
	p.Status, p.Code = status, codeOf(status)
	p.Title = l.Say("problem." + p.Code)
	return p
}

// validationCode names what huma found wrong by the beginning of its message.
func validationCode(message string) string {
	for _, m := range [...]struct{ begins, code string }{
		{"expected required property", "required"},
		{"required ", "required"},
		{"expected length <=", "too_long"},
		{"expected array length <=", "too_long"},
		{"expected boolean", "wrong_type"},
		{"expected number", "wrong_type"},
		{"expected integer", "wrong_type"},
		{"expected string", "wrong_type"},
		{"expected array", "wrong_type"},
		{"expected object", "wrong_type"},
	} {
		if strings.HasPrefix(message, m.begins) {
			return m.code
		}
	}
	return "not_allowed"
}

// codeOf is the code of a status that no error of ours stands behind.
func codeOf(status int) string {
	for _, s := range statuses {
		if s.status == status {
			return s.code
		}
	}
	switch {
	case status == http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case status >= http.StatusInternalServerError:
		return "internal"
	}
	return "malformed"
}

// chosenLocale is what UseLocale chose for the request of a context, or nil.
func chosenLocale(ctx context.Context) *Locale {
	if h, ok := ctx.Value(localeKey{}).(*localeHolder); ok {
		return h.locale
	}
	return nil
}
