package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"duyet/comments"
)

// Most bytes of a body.
const (
	jsonMost = 64 << 10
	formMost = 256 << 10
)

// fields are what was sent, by name, as it was typed.
type fields struct {
	text  map[string]string
	wrong []comments.FieldError // those whose JSON is no text

	receipts []string
}

// names are the fields of a submission in the order of the form, in which errors are told.
var names = [...]string{"name", "title", "content", "page", "page_title", "parent", "ticket", "code", "work", "author", "comment", "receipt", "receipt_code", "reason", "text"}

// trapField is the name of the field that no person sees.
const trapField = "website"

// parseJSON reads an object of texts. Unknown properties are passed over, null is as good
// as absent, and a value of another type is noted. What is not UTF-8, or escapes half a
// surrogate pair, is refused before it is decoded: the decoder would put U+FFFD in its
// place without a word. Errors are ErrMalformed.
func parseJSON(body []byte) (fields, error) {
	f := fields{text: make(map[string]string, len(names))}
	if !utf8.Valid(body) {
		return f, fmt.Errorf("not UTF-8: %w", comments.ErrMalformed)
	}
	if loneSurrogate(body) {
		return f, fmt.Errorf("half a surrogate pair: %w", comments.ErrMalformed)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return f, fmt.Errorf("no JSON object: %w", comments.ErrMalformed)
	}
	for _, name := range names {
		raw := bytes.TrimSpace(object[name])
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			f.wrong = append(f.wrong, comments.FieldError{Field: name, Code: comments.CodeWrongType})
			continue
		}
		f.text[name] = text
	}
	if raw := bytes.TrimSpace(object["receipts"]); len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &f.receipts); err != nil {
			f.receipts = nil
			f.wrong = append(f.wrong, comments.FieldError{Field: "receipts", Code: comments.CodeWrongType})
		}
	}
	if one := f.text["receipt"]; one != "" {
		f.receipts = append([]string{one}, f.receipts...)
	}
	return f, nil
}

// loneSurrogate reports whether a \u escape stands for half a pair. A backslash is legal
// in JSON inside strings alone, so there is no need to know where those are.
func loneSurrogate(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++ // on what is escaped
		switch unit := escapedUnit(body, i); {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			i += 5
			if i >= len(body) || body[i] != '\\' {
				return true
			}
			i++
			if low := escapedUnit(body, i); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 4
		}
	}
	return false
}

// escapedUnit is the UTF-16 unit of "uXXXX" at i, or -1.
func escapedUnit(body []byte, i int) int {
	if i+5 > len(body) || body[i] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(body[i+1:i+5]), 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}

// readForm reads a form's body, judging in the contract's order: size, type, syntax.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.ContentLength > formMost {
		return nil, comments.ErrTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, formMost))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, comments.ErrTooLarge
		}
		return nil, fmt.Errorf("body: %w: %w", comments.ErrMalformed, err)
	}
	if !isType(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, comments.ErrUnsupportedMedia
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("form: %w", comments.ErrMalformed)
	}
	for name, values := range form {
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, "")) {
			return nil, fmt.Errorf("form is not UTF-8: %w", comments.ErrMalformed)
		}
	}
	return form, nil
}

// isType reports whether a Content-Type is the wanted one, in UTF-8.
func isType(header, want string) bool {
	got, params, err := mime.ParseMediaType(header)
	if err != nil || got != want {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}
