package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"duyet/comments"
	"duyet/templates"
)

// posted is what huma reads of a POST. It documents and reads; the service validates.
type posted struct {
	Site        string `path:"site" doc:"Id of the site"`
	Lang        string `query:"lang" doc:"Language of messages; otherwise Accept-Language, then the site's"`
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte

	request *http.Request
}

// Resolve keeps the request itself, for whom it comes from.
func (p *posted) Resolve(ctx huma.Context) []error {
	p.request, _ = humamux.Unwrap(ctx)
	return nil
}

// open finds the site and reads the body, judging as the contract says: the site, then (as
// Zone has) the origin, then size (as huma has), type and syntax.
func (d *Door) open(ctx context.Context, in *posted) (site comments.Site, f fields, err error) {
	if site, err = d.svc.Site(ctx, in.Site); err != nil {
		return site, f, err
	}
	templates.UseLocale(in.request, d.locale(d.answerLang(in.request, in.Lang, site), site))
	if !isType(in.ContentType, "application/json") {
		return site, f, comments.ErrUnsupportedMedia
	}
	f, err = parseJSON(in.RawBody)
	return site, f, err
}

// ticketRequest is the body of a request for a verification code.
type ticketRequest struct {
	Page string `json:"page" doc:"The page's address on one of the site's origins, or an id of the site's own"`
}

type ticketBody struct {
	Ticket    string    `json:"ticket" doc:"Opaque; goes back with the comment"`
	Image     string    `json:"image" doc:"Address of the image: PNG, 240 by 80"`
	Audio     string    `json:"audio" doc:"Address of the sound: WAVE"`
	ExpiresAt time.Time `json:"expires_at"`
	Wants     wants     `json:"wants" doc:"What a comment on the page should bring"`
}

type ticketOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         ticketBody
}

// issueTicket answers POST /api/v1/sites/{site}/captcha.
func (d *Door) issueTicket(ctx context.Context, in *posted) (*ticketOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, wrong := range f.wrong {
		if wrong.Field == "page" {
			return nil, comments.Invalid(wrong.Field, wrong.Code)
		}
	}
	text, t, err := d.svc.IssueTicket(site, f.text["page"], d.cfg.ClientIP(in.request))
	if err != nil {
		return nil, err
	}
	d.cfg.Tally.Captcha("issued")
	lang := d.answerLang(in.request, in.Lang, site)
	return &ticketOutput{CacheControl: noStore, Body: ticketBody{
		Ticket: text, ExpiresAt: t.Expires.UTC(),
		Image: d.address(captchaPrefix + text + ".png"),
		Audio: d.address(captchaPrefix + text + ".wav?lang=" + lang),
		Wants: d.wants(site, f.text["page"]),
	}}, nil
}

const noStore = "no-store"

// submission is the body of a comment on its way in.
type submission struct {
	Page      string `json:"page"`
	PageTitle string `json:"page_title,omitempty" doc:"Title of the article; the first one stands"`
	Parent    string `json:"parent,omitempty" doc:"Id of the approved comment it answers"`
	Name      string `json:"name" doc:"One line"`
	Title     string `json:"title" doc:"One line; needed unless the site says otherwise"`
	Content   string `json:"content" doc:"Plain text; a blank line makes a paragraph"`
	Ticket    string `json:"ticket"`
	Code      string `json:"code" doc:"The six digits; spaces and full-width digits do"`
	Author    string `json:"author,omitempty" doc:"The author's key: 22 to 128 random letters, digits, - and _ that the client keeps for this site and shows to nobody else. What is written under it is its bearer's"`
	Work      string `json:"work,omitempty" doc:"Proof of work, where the site asks for one"`
}

type submittedBody struct {
	Comment     submittedComment `json:"comment"`
	Receipt     string           `json:"receipt" doc:"Proves authorship; keep it from others, never put it into an address"`
	ReceiptCode string           `json:"receipt_code,omitempty" doc:"Short code that names the comment on paper; proves nothing"`
}

type submittedComment struct {
	commentBody
	Status string `json:"status" enum:"pending,approved,rejected" doc:"As its author may read it"`
	Page   string `json:"page" doc:"Canonical key of the page"`
}

type submittedOutput struct {
	Status       int
	CacheControl string `header:"Cache-Control"`
	Body         submittedBody
}

// submit answers POST /api/v1/sites/{site}/comments: 201, or 200 for words that the
// ticket has let in before.
func (d *Door) submit(ctx context.Context, in *posted) (*submittedOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	done, err := d.svc.Submit(ctx, site, comments.Submission{
		Page: f.text["page"], PageTitle: f.text["page_title"], Parent: f.text["parent"],
		Name: f.text["name"], Title: f.text["title"], Content: f.text["content"],
		Ticket: f.text["ticket"], Code: f.text["code"], Work: f.text["work"], Author: f.text["author"],
		Lang: d.answerLang(in.request, in.Lang, site), WrongType: f.wrong, Addr: d.cfg.ClientIP(in.request),
		Agent: in.request.UserAgent(), Referrer: in.request.Referer(),
	})
	d.tally(done, err)
	if err != nil {
		return nil, err
	}
	out := &submittedOutput{Status: http.StatusCreated, CacheControl: noStore, Body: submittedBody{
		Comment: submittedComment{newCommentBody(done.Comment), string(done.Comment.Status.ToAuthor()), done.Comment.Page},
		Receipt: done.Receipt,
	}}
	if d.cfg.ReceiptCode != nil {
		out.Body.ReceiptCode = d.cfg.ReceiptCode(done.Comment.ID)
	}
	if done.Repeated {
		out.Status = http.StatusOK
	}
	return out, nil
}

// tally counts how a submission ended.
func (d *Door) tally(done comments.Submitted, err error) {
	var invalid *comments.InvalidError
	switch {
	case err == nil && done.Repeated:
		d.cfg.Tally.Submission("repeated")
	case err == nil:
		d.cfg.Tally.Submission(string(done.Comment.Status))
		d.cfg.Tally.Captcha("solved")
	case errors.As(err, &invalid) && len(invalid.Fields) > 0:
		d.cfg.Tally.Submission(invalid.Fields[0].Code)
		if invalid.Has(codeErrors...) {
			d.cfg.Tally.Captcha("failed")
		}
	default:
		d.cfg.Tally.Submission(templates.Code(err))
	}
}

// codeErrors are the codes that say the verification code, not a field, was refused.
var codeErrors = []string{
	comments.CodeCaptchaInvalid, comments.CodeCaptchaExpired, comments.CodeCaptchaWrongPage,
	comments.CodeCaptchaWrong, comments.CodeTicketSpent,
}
