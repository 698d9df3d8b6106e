package comments

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"
)

// ReportReasons are what a reader may say is wrong with a comment; the catalogues have the
// words ("report.reason.{code}").
var ReportReasons = [...]string{"insult", "spam", "false", "personal-data", "illegal", "other"}

// Flag is a reader's report on its way in.
type Flag struct {
	Comment      string // id
	Reason       string // one of ReportReasons
	Text         string // a sentence, "" for none
	Author       string // the reader's own key, "" for none
	Ticket, Code string // needed once the network has reported much
	Addr         netip.Addr
}

// Flagged is what became of it.
type Flagged struct {
	Comment Comment // as readers see it
	Again   bool    // this reader had reported it before; nothing changed
}

// Flag reports a public comment to the moderators. A reader is known by the author's key,
// else by the network, and counts once a comment. While a network reports more than a few,
// each further one costs a verification code for the comment's page. Errors:
// *InvalidError (on "code" where one is due), ErrNotFound, ErrMalformed, ErrUnavailable.
func (s *Service) Flag(ctx context.Context, site Site, f Flag) (Flagged, error) {
	if !utf8.ValidString(f.Text) || !utf8.ValidString(f.Reason) || !utf8.ValidString(f.Code) {
		return Flagged{}, fmt.Errorf("not UTF-8: %w", ErrMalformed)
	}
	c, err := s.Public(ctx, site, f.Comment)
	if err != nil {
		return Flagged{}, err
	}
	key, text, err := f.check(site)
	if err != nil {
		return Flagged{}, err
	}
	giveBack, pays, err := s.mayFlag(ctx, site, c, f)
	if err != nil {
		return Flagged{}, err
	}
	_, err = s.cfg.Store.Report(ctx, Report{Comment: c.ID, Reader: key, Reason: f.Reason, Text: text, At: s.cfg.Now(), Pays: pays})
	if errors.Is(err, ErrTicketSpent) {
		return Flagged{}, Invalid("ticket", CodeTicketSpent)
	}
	if errors.Is(err, ErrExists) {
		giveBack()
		return Flagged{Comment: c, Again: true}, nil
	}
	if err != nil {
		giveBack()
		return Flagged{}, err
	}
	return Flagged{Comment: c}, nil
}

// check reads the fields, and by whom the report counts.
func (f Flag) check(site Site) (reader [16]byte, text string, err error) {
	var wrong []FieldError
	if !slices.Contains(ReportReasons[:], f.Reason) {
		code := CodeUnknownReason
		if f.Reason == "" {
			code = CodeRequired
		}
		wrong = append(wrong, FieldError{Field: "reason", Code: code})
	}
	text, bad := textRule{"text", false, false, ReportMost, SentenceBytes}.check(f.Text)
	if bad != nil {
		wrong = append(wrong, *bad)
	}
	key, err := AuthorKeyOf(site.ID, f.Author)
	if err != nil {
		wrong = append(wrong, FieldError{Field: "author", Code: CodeAuthorInvalid})
	}
	if wrong != nil {
		return reader, "", &InvalidError{Fields: wrong}
	}
	if key.IsZero() {
		network := NetworkKey(f.Addr)
		sum := sha256.Sum256(append([]byte("duyet reader\x00"+site.ID+"\x00"), network[:]...))
		copy(key[:], sum[:])
	}
	return key, text, nil
}

// mayFlag counts a report against its network; beyond the limit it judges a code, which the
// report then pays with.
func (s *Service) mayFlag(ctx context.Context, site Site, c Comment, f Flag) (giveBack func(), pays Spend, err error) {
	giveBack = func() {}
	if !site.Settings.RateLimit {
		return giveBack, pays, nil
	}
	giveBack, err = s.cfg.Limiter.Take(MeterReport, Use{Site: site.ID, Addr: f.Addr})
	if err == nil || !errors.Is(err, ErrLimited) {
		return giveBack, pays, err
	}
	if f.Ticket == "" || isBlank(f.Code) {
		return giveBack, pays, Invalid("code", CodeRequired)
	}
	t, openErr := s.cfg.Tickets.Open(f.Ticket)
	if err := s.judge(ctx, site, Page{Site: site.ID, Key: c.Page}, Submission{Code: f.Code}, t, openErr, s.cfg.Now()); err != nil {
		return giveBack, pays, err
	}
	// No comment has such words: the ticket lets nothing else in.
	return giveBack, Spend{ID: t.ID, Expires: t.Expires, Words: sha256.Sum256([]byte("duyet report\x00" + string(c.ID) + f.Reason))}, nil
}

// Public is a comment that readers see, as they see it; any other is ErrNotFound.
func (s *Service) Public(ctx context.Context, site Site, rawID string) (Comment, error) {
	id, err := ParseID(rawID)
	if err != nil || id.Site() != site.ID {
		return Comment{}, fmt.Errorf("comment: %w", ErrNotFound)
	}
	c, err := s.cfg.Store.Comment(ctx, id)
	if err != nil {
		return Comment{}, err
	}
	if !c.Standing() {
		return Comment{}, fmt.Errorf("comment: %w", ErrNotFound)
	}
	return c.Shown(), nil
}
