package moderation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"duyet/comments"
)

// ReasonWords are a reason as it is named at the desk, and what an author reads who is
// refused for it; "" leaves either to the catalogue.
type ReasonWords struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text,omitempty"`
}

// Reason is one of a site's reasons.
type Reason struct {
	Code  string
	Words map[string]ReasonWords // by language
}

// Reasons are a site's, in the order in which they are offered.
type Reasons struct {
	List    []Reason
	Version uint64 // of what is said of them; 0 = nothing of the site's own
}

// Limits of reasons.
const (
	ReasonsMost     = 20
	ReasonLabelMost = 60
	ReasonTextMost  = 500
)

const (
	reasonsKind = "reasons"
	reasonsID   = "words"
)

// KindReasonsChanged is the event of a change of what a site says of its reasons.
const KindReasonsChanged comments.Kind = "reasons.changed"

// reasonWords is the words of a site's reasons by code and language.
type reasonWords struct {
	version uint64
	words   map[string]map[string]ReasonWords
}

func readReasons(_ string, documents []Document) (reasonWords, error) {
	all := reasonWords{}
	for _, d := range documents {
		if d.ID != reasonsID || d.Site == comments.Installation {
			continue
		}
		all.version = d.Version
		if err := json.Unmarshal(d.Data, &all.words); err != nil {
			return all, fmt.Errorf("document %s of %s: %w", d.Subject(), d.Site, comments.ErrDamaged)
		}
	}
	return all, nil
}

// Observe keeps what the service has in memory fresh. It is a comments.Observer.
func (s *Service) Observe(c comments.Commit) {
	s.reasons.Observe(c)
	s.observeBulk(c)
	s.observeSchedule(c)
	s.observeStats(c)
}

// ReasonWords is what a site says of a reason in a language; what it leaves to the catalogue,
// or can't be read now, is "".
func (s *Service) ReasonWords(ctx context.Context, site, code, lang string) ReasonWords {
	all, err := s.reasons.Of(ctx, site)
	if err != nil {
		return ReasonWords{}
	}
	return all.words[code][lang]
}

// Reasons are a site's reasons for who may see it.
func (s *Service) Reasons(ctx context.Context, who Moderator, site string) (Reasons, error) {
	if err := s.allowed(ctx, who, See, site); err != nil {
		return Reasons{}, err
	}
	of, err := s.cfg.Comments.Site(ctx, site)
	if err != nil {
		return Reasons{}, err
	}
	all, err := s.reasons.Of(ctx, site)
	if err != nil {
		return Reasons{}, err
	}
	r := Reasons{Version: all.version}
	for _, code := range of.Settings.Reasons {
		r.List = append(r.List, Reason{Code: code, Words: all.words[code]})
	}
	return r, nil
}

// SetReasons puts reasons in the place of the site's if what it says of them is still at
// their version, for who manages the site. A reason that is left out can't be given any more;
// what was refused for it keeps it. Errors: comments.ErrForbidden, an InvalidError on
// "reasons[i].code", "…label" or "…text", comments.ErrVersion.
func (s *Service) SetReasons(ctx context.Context, who Moderator, site string, r Reasons) error {
	if err := s.allowed(ctx, who, ManageSite, site); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	words := map[string]map[string]ReasonWords{}
	var codes []string
	for _, reason := range r.List {
		codes = append(codes, reason.Code)
		for lang, w := range reason.Words {
			if w == (ReasonWords{}) {
				continue
			}
			if words[reason.Code] == nil {
				words[reason.Code] = map[string]ReasonWords{}
			}
			words[reason.Code][lang] = w
		}
	}
	data, err := json.Marshal(words)
	if err != nil {
		return err
	}
	_, err = s.cfg.Store.PutDocument(ctx, Document{
		Site: site, Kind: reasonsKind, ID: reasonsID, Version: r.Version, Data: data, By: who.ID,
	}, KindReasonsChanged)
	if errors.Is(err, comments.ErrExists) {
		err = fmt.Errorf("reasons: %w", comments.ErrVersion)
	}
	if err != nil {
		return err
	}
	of, err := s.cfg.Comments.Site(ctx, site)
	if err != nil || slices.Equal(of.Settings.Reasons, codes) {
		return err
	}
	_, err = s.cfg.Desk.SetSite(ctx, site, []comments.Pair{{Key: "reasons", Value: strings.Join(codes, ",")}}, who.ID)
	return err
}

// check says what is wrong with reasons, and cleans what is typed of them.
func (r Reasons) check() error {
	var wrong []comments.FieldError
	at := func(i int, field, code string, most int) {
		wrong = append(wrong, comments.FieldError{Field: fmt.Sprintf("reasons[%d].%s", i, field), Code: code, Max: most})
	}
	if len(r.List) > ReasonsMost {
		return &comments.InvalidError{Fields: []comments.FieldError{{Field: "reasons", Code: comments.CodeTooLong, Max: ReasonsMost}}}
	}
	seen := map[string]bool{}
	for i, reason := range r.List {
		if !documentName(reason.Code, 40, false) || reason.Code == comments.ReasonTyped || seen[reason.Code] {
			at(i, "code", comments.CodeWrongType, 0)
		}
		seen[reason.Code] = true
		for lang, w := range reason.Words {
			w.Label, w.Text = comments.Clean(w.Label), comments.Clean(w.Text)
			switch {
			case !printable(w.Label) || strings.ContainsAny(w.Label, "\n\t"):
				at(i, "label", comments.CodeControl, 0)
			case comments.Characters(w.Label) > ReasonLabelMost:
				at(i, "label", comments.CodeTooLong, ReasonLabelMost)
			}
			switch {
			case !printable(w.Text):
				at(i, "text", comments.CodeControl, 0)
			case comments.Characters(w.Text) > ReasonTextMost:
				at(i, "text", comments.CodeTooLong, ReasonTextMost)
			}
			reason.Words[lang] = w
		}
	}
	if wrong != nil {
		return &comments.InvalidError{Fields: wrong}
	}
	return nil
}
