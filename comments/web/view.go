package web

import (
	"errors"
	"html/template"

	"duyet/comments"
	"duyet/templates"
)

// pageData is what the template of a thread's page sees.
type pageData struct {
	Site    string
	Title   string // of the article, "" while nobody has named it
	URL     string // of the article, "" when its key is no URL
	Count   int64
	Open    bool
	Only    bool
	Sort    comments.Sort
	Oldest  string
	Newest  string
	Liked   string // "" where the site counts no likes
	Notices []noticeData
	Own     []ownData
	List    *templates.Prerendered // nil when it could not be read
	Form    *formData              // nil on a closed page
	Kept    *formData              // what was typed, where it can't be sent any more
	Closed  *noticeData            // why there is no form
	Likes   *likesData             // what the buttons of likes send; nil without
	Failed  bool                   // sending failed for a reason that is no field's
	Also    []alsoData             // what programs read in place of the page

	page comments.Page
}

// alsoData is the same thread in another form.
type alsoData struct{ Type, Href string }

// noticeData is a box with an icon, a bold line and what to do.
type noticeData struct {
	Kind  string // "good", "look", "bad" or ""
	Icon  string
	Role  string // "status", "alert" or "" for standing facts
	ID    string // "" for none
	Focus bool   // takes the focus
	Title string
	Lines []string
}

// ownData is a comment that its author alone sees.
type ownData struct {
	Anchor, Status, Name, Title string
	HTML                        template.HTML
	ISO, Time, Receipt          string

	Changed               bool // earlier words of it are in public
	Withdrawn             bool
	Reason                string
	Appeal                string
	Edit, Withdraw, Until string // addresses and the time they end, "" for no more
	AppealTo              string
	LookUp                string       // where it is found again by Receipt
	Article               *articleData // whose thread it is in; nil on that page
}

type articleData struct{ Title, URL string }

// typed is what stands in a form, byte for byte.
type typed struct {
	Name, Title, Content, Code, Ticket, Parent string
	Remember                                   bool // the name
}

// formData is what the template of the form sees.
type formData struct {
	typed
	Action    string
	Page      string
	PageTitle string
	Notices   []noticeData
	Errors    []slip
	By        map[string]*slip // Errors by field
	Reply     *replyData

	Remembers     bool // offers to remember the name
	AskTitle      bool
	TitleRequired bool
	Post          bool // published without waiting
	NameMax       int
	TitleMax      int
	ContentMax    int
	ContentLong   int  // characters typed, when too many; else 0
	NewlineFirst  bool // the content begins with one, and HTML would drop it

	Image, Sound string // "" without a ticket
	Work         string // address of challenges, when the page asks for a proof of work
	Check        string // address that looks at words before they are sent
	Coded        bool   // the code is needed even with one
	Renew        string // address that issues tickets
	Expires      string // of the ticket; for the script, that renews it before
	CodeFor      string // how long a code is good
	CodeStatus   string // that the code is a new one, and why
	NoCode       string // why there is none

	Rules, Privacy string // addresses, "" for none
	LookUp         string // where a receipt code leads back to a comment
	AddressesFor   string // how long network addresses are kept, "" for not at all
}

type replyData struct{ Name, Title, Cancel string }

// slip is what is wrong with one field, in words.
type slip struct {
	Field  string
	Target string // id of the element to go to, "" when the reader can't mend it there
	Label  string
	Short  string // for the summary
	Text   string // for the field
}

// newForm is the form with what was typed in it, and no code yet.
func (d *Door) newForm(s screen, t typed) *formData {
	set := s.site.Settings
	title := s.pageTitle
	f := &formData{
		typed: t, Page: s.query.Page, PageTitle: title,
		Action:    d.tpl.URL(pagesPrefix+s.site.ID) + "/comments?lang=" + s.l.Lang + s.keep(),
		Remembers: true, AskTitle: set.Title != comments.Off, TitleRequired: set.Title == comments.Required,
		Post:    set.Mode == comments.PostModerated,
		NameMax: set.NameMax, TitleMax: set.TitleMax, ContentMax: set.ContentMax,
		NewlineFirst: len(t.Content) > 0 && (t.Content[0] == '\n' || t.Content[0] == '\r'),
		CodeFor:      s.l.Wait(set.TicketTTL), Rules: set.RulesURL, Privacy: set.PrivacyURL, LookUp: d.receiptURL(s),
		Renew: d.tpl.URL(apiPrefix + s.site.ID + "/captcha"), Check: d.tpl.URL(apiPrefix + s.site.ID + "/comments/check"),
		By: map[string]*slip{},
	}
	if want := d.wants(s.site, s.query.Page); want.Work {
		f.Work, f.Coded = d.workAddress(s.site), want.Code
	}
	if set.AddressesFor > 0 {
		f.AddressesFor = s.l.Wait(set.AddressesFor)
	}
	return f
}

// freshCode puts a new ticket into the form; what was typed for the old one goes.
func (d *Door) freshCode(f *formData, s screen) error {
	f.Ticket, f.Code = "", ""
	text, t, err := d.svc.IssueTicket(s.site, s.query.Page, s.addr)
	if err != nil {
		return err
	}
	d.cfg.Tally.Captcha("issued")
	d.setCode(f, s, text)
	f.Expires = s.l.ISO(t.Expires)
	return nil
}

// setCode puts a ticket into the form.
func (d *Door) setCode(f *formData, s screen, ticket string) {
	f.Ticket = ticket
	f.Image = d.tpl.URL(captchaPrefix + ticket + ".png")
	f.Sound = d.tpl.URL(captchaPrefix + ticket + ".wav?lang=" + s.l.Lang)
}

// fieldTargets are the ids of the fields that a reader can mend.
var fieldTargets = map[string]string{"name": "ten", "title": "tieude", "content": "noidung", "code": "ma", "ticket": "ma", "receipt_code": "bien-nhan"}

// fail puts errors into the form, each at its field and all in the summary.
func (f *formData) fail(l *templates.Locale, invalid *comments.InvalidError) {
	for _, e := range invalid.Fields {
		field := e.Field
		if field == "ticket" {
			field = "code" // one field to whoever reads
		}
		if _, told := f.By[field]; told {
			continue
		}
		one := slip{
			Field: field, Target: fieldTargets[field], Label: l.Say("label." + field),
			Short: l.Say("slip."+e.Code, "Max", l.Number(e.Max)), Text: l.Field(e),
		}
		f.By[field] = &one
		f.Errors = append(f.Errors, one)
		if field == "content" && e.Code == comments.CodeTooLong {
			f.ContentLong = comments.Characters(comments.Clean(f.Content))
		}
		if e.Code == comments.CodeUnknownParent {
			f.Parent = "" // sent again, it stands by itself
		}
	}
}

// noCode says why there is no code.
func noCode(l *templates.Locale, err error) string {
	var limited *comments.LimitedError
	if errors.As(err, &limited) {
		return l.Say("code.none", "Wait", l.Wait(limited.RetryAfter))
	}
	return l.Say("code.unavailable")
}
