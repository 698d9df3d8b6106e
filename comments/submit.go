package comments

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"
)

// Submission is what a reader sends. Everything is as it was typed.
type Submission struct {
	Page      string
	PageTitle string
	Parent    string
	Name      string
	Title     string
	Content   string
	Ticket    string
	Code      string
	Trap      string
	Work      string
	Author    string       // the author's key; "" = none
	Lang      string       // of the form: "vi" or "en"
	WrongType []FieldError // fields whose JSON type the door could not read as text
	Addr      netip.Addr
	Agent     string // the browser, as it names itself; never stored
	Referrer  string // the page that the form stood on, as the browser says; never stored
}

// Submitted is a comment that was let in.
type Submitted struct {
	Comment  Comment
	Receipt  string
	Repeated bool // the same words had been let in before by this ticket
}

// words is a hash of what was said, so that a repeated post is known: the same words are
// the same once cleaned.
func (sub Submission) words(t TicketID) [32]byte {
	h := sha256.New()
	h.Write(t[:])
	for _, field := range []string{sub.Parent, Clean(sub.Name), Clean(sub.Title), Clean(sub.Content)} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
	return [32]byte(h.Sum(nil))
}

// Submit takes a comment the whole way in. It judges in the order of the contract, so
// that a slip in a field costs no code and a typed code is spent only with the comment it
// lets in. Errors: *InvalidError, *LimitedError, ErrPageClosed, ErrMalformed (not UTF-8),
// ErrUnavailable. Nothing is stored unless it returns nil.
func (s *Service) Submit(ctx context.Context, site Site, sub Submission) (_ Submitted, err error) {
	for _, text := range []string{sub.Page, sub.PageTitle, sub.Parent, sub.Name, sub.Title, sub.Content, sub.Ticket, sub.Code, sub.Work, sub.Author} {
		if !utf8.ValidString(text) {
			return Submitted{}, fmt.Errorf("not UTF-8: %w", ErrMalformed)
		}
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	ticket, ticketErr := s.cfg.Tickets.Open(sub.Ticket)

	if ticketErr == nil && ticket.Site == site.ID {
		if done, err := s.repeated(ctx, sub, ticket); err != nil || done.Repeated {
			return done, err
		}
	}
	e := s.enter(site, sub, now)
	defer func() { e.leave(err) }()
	if err := e.admit(ctx); err != nil {
		return Submitted{}, err
	}
	comment, page, err := s.validate(ctx, site, sub, e, now)
	if err != nil {
		return Submitted{}, err
	}
	if err := s.judge(ctx, site, page, sub, ticket, ticketErr, now); err != nil {
		return Submitted{}, err
	}
	found := s.screen(ctx, Candidate{
		Site: site, Page: page, Comment: comment, Addr: sub.Addr,
		Trap: sub.Trap, Attack: e.attack, Work: e.known(ctx), Over: e.over, Issued: ticket.Issued, Now: now,
		Agent: sub.Agent, Referrer: sub.Referrer,
	})
	comment.Signals, comment.Risk = found.Signals, found.Risk
	trusted, err := s.trusted(ctx, site.Settings, comment)
	if err != nil {
		return Submitted{}, err
	}
	comment.Status = firstStatus(site.Settings, page, comment.Signals, trusted)

	author := Author{}
	if site.Settings.AddressesFor > 0 && sub.Addr.IsValid() {
		author = Author{Addr: sub.Addr, Expires: now.Add(site.Settings.AddressesFor)}
	}
	stored, repeated, err := s.cfg.Store.Create(ctx, Creation{
		Comment: comment, Page: page, Author: author, Actor: ActorReader, Code: s.codeKey(comment.ID),
		Ticket: Spend{ID: ticket.ID, Expires: ticket.Expires, Words: sub.words(ticket.ID)},
	})
	switch {
	case errors.Is(err, ErrTicketSpent):
		return Submitted{}, Invalid("ticket", CodeTicketSpent)
	case errors.Is(err, ErrNotFound) && comment.Parent != "":
		return Submitted{}, Invalid("parent", CodeUnknownParent)
	case err != nil:
		return Submitted{}, err
	}
	return s.submitted(stored, repeated)
}

func (s *Service) submitted(c Comment, repeated bool) (Submitted, error) {
	receipt, err := s.cfg.Receipts.Issue(c.ID)
	if err != nil {
		return Submitted{}, err
	}
	return Submitted{Comment: c, Receipt: receipt, Repeated: repeated}, nil
}

// repeated answers a ticket that is spent already: the same words get their comment
// again, other words an error, and an unspent ticket nothing.
func (s *Service) repeated(ctx context.Context, sub Submission, t Ticket) (Submitted, error) {
	spent, err := s.cfg.Store.Spent(ctx, t.ID, t.Expires)
	if errors.Is(err, ErrNotFound) {
		return Submitted{}, nil
	}
	if err != nil {
		return Submitted{}, err
	}
	if len(sub.WrongType) > 0 || spent.Words != sub.words(t.ID) {
		return Submitted{}, Invalid("ticket", CodeTicketSpent)
	}
	c, err := s.cfg.Store.Comment(ctx, spent.Comment)
	if err != nil {
		return Submitted{}, err
	}
	return s.submitted(c, true)
}

// validate reads the fields. The errors it lists are all that is wrong with them.
func (s *Service) validate(ctx context.Context, site Site, sub Submission, e *entrance, now time.Time) (Comment, Page, error) {
	var wrong []FieldError
	note := func(f *FieldError) {
		if f != nil && !slices.ContainsFunc(sub.WrongType, func(w FieldError) bool { return w.Field == f.Field }) {
			wrong = append(wrong, *f)
		}
	}
	page, err := s.page(ctx, site, sub.Page)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		note(&invalid.Fields[0])
	} else if err != nil {
		return Comment{}, Page{}, err
	} else if !page.Open(now, site.Settings.CloseAfter) {
		return Comment{}, Page{}, ErrPageClosed
	}
	if page.Title == "" {
		page.Title = cleanPageTitle(sub.PageTitle)
	}
	if page.CreatedAt.IsZero() {
		page.CreatedAt = now
	}

	c := Comment{Site: site.ID, Page: page.Key, Lang: sub.Lang, CreatedAt: now}
	words, bad := checkWords(site.Settings, Words{Name: sub.Name, Title: sub.Title, Content: sub.Content})
	c.SetWords(words)
	for _, b := range bad {
		note(&b)
	}
	if c.Author, err = AuthorKeyOf(site.ID, sub.Author); err != nil {
		note(&FieldError{Field: "author", Code: CodeAuthorInvalid})
	}
	if sub.Parent != "" {
		parent, err := s.parent(ctx, page, sub.Parent)
		if errors.Is(err, ErrNotFound) {
			note(&FieldError{Field: "parent", Code: CodeUnknownParent})
		} else if err != nil {
			return Comment{}, Page{}, err
		}
		c.Parent = parent
	}
	if isBlank(sub.Code) && !e.worksForCode(ctx) {
		note(&FieldError{Field: "code", Code: CodeRequired}) // forgotten, not guessed: the ticket lives
	}
	wrong = append(slices.Clone(sub.WrongType), wrong...)
	if len(wrong) > 0 {
		return Comment{}, Page{}, &InvalidError{Fields: wrong}
	}
	c.ID, err = NewID(site.ID)
	return c, page, err
}

// checkWords reads what a site asks for. The errors are all that is wrong with it.
func checkWords(set Settings, typed Words) (w Words, wrong []FieldError) {
	check := func(rule textRule, typed string) string {
		text, bad := rule.check(typed)
		if bad != nil {
			wrong = append(wrong, *bad)
		}
		return text
	}
	w.Name = check(textRule{"name", true, true, set.NameMax, NameBytes}, typed.Name)
	if set.Title != Off {
		w.Title = check(textRule{"title", set.Title == Required, true, set.TitleMax, TitleBytes}, typed.Title)
	}
	w.Content = check(textRule{"content", true, false, set.ContentMax, ContentBytes}, typed.Content)
	return w, wrong
}

// parent is the comment a reply is for: in public and on the same page, else ErrNotFound,
// so that nobody learns of what is not public.
func (s *Service) parent(ctx context.Context, page Page, raw string) (ID, error) {
	id, err := ParseID(raw)
	if err != nil {
		return "", err
	}
	if id.Site() != page.Site {
		return "", ErrNotFound
	}
	c, err := s.cfg.Store.Comment(ctx, id)
	if err != nil {
		return "", err
	}
	if c.Page != page.Key || !c.Standing() {
		return "", ErrNotFound
	}
	return id, nil
}

// judge looks at the ticket and then at the code.
func (s *Service) judge(ctx context.Context, site Site, page Page, sub Submission, t Ticket, openErr error, now time.Time) error {
	switch {
	case openErr != nil || t.Site != site.ID:
		return Invalid("code", CodeCaptchaInvalid)
	case !now.Before(t.Expires):
		return Invalid("code", CodeCaptchaExpired)
	case t.Page != PageHash(site.ID, page.Key) && !asked(site, sub.Page, t):
		return Invalid("code", CodeCaptchaWrongPage)
	}
	if isBlank(sub.Code) { // its work stands for it, see validate
		return s.alive(ctx, t)
	}
	verdict, err := s.cfg.Judge.Judge(ctx, t, sub.Code)
	if err != nil {
		return err
	}
	if verdict != VerdictRight {
		return Invalid("code", CodeCaptchaWrong)
	}
	return nil
}

// alive is an error when an earlier wrong answer killed the ticket.
func (s *Service) alive(ctx context.Context, t Ticket) error {
	dead, err := s.cfg.Judge.Dead(ctx, t.ID)
	if err == nil && dead {
		err = Invalid("code", CodeCaptchaWrong)
	}
	return err
}

// screen runs the checks and keeps every signal. A check that can't run, panics included,
// holds the comment and says so.
func (s *Service) screen(ctx context.Context, c Candidate) (found Screening) {
	notChecked := Signal{Check: "screening", Level: LevelHold, Code: "not_checked"}
	defer func() {
		if recover() != nil {
			found.Signals = append(found.Signals, notChecked)
		}
	}()
	found, err := s.cfg.Screener.Screen(ctx, c)
	if err != nil {
		found.Signals = append(found.Signals, notChecked)
	}
	return found
}

// firstStatus is the status a comment starts with: pending, unless the site moderates
// afterwards or trusts its author, the page isn't held, and nothing holds the comment; or has
// what is taken for spam go there at once.
func firstStatus(set Settings, page Page, signals []Signal, trusted bool) Status {
	has := func(levels ...Level) bool {
		return slices.ContainsFunc(signals, func(s Signal) bool { return slices.Contains(levels, s.Level) })
	}
	decided := func(s Signal) bool { return s.Level == LevelSpam && (s.Check == CheckBan || s.Check == CheckRule) }
	switch {
	case slices.ContainsFunc(signals, decided), set.OnSpam == OnSpamSpam && has(LevelSpam):
		return Spam
	case (set.Mode == PostModerated || trusted) && !page.Held && !has(LevelHold, LevelSpam):
		return Approved
	}
	return Pending
}
