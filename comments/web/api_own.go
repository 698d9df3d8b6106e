package web

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"duyet/comments"
	"duyet/templates"
)

// What an author may do with comments of their own, and a reader with another's. Receipts
// and keys come in bodies alone: an address is written down in too many places.

// ProofBody is what proves that comments are somebody's.
type ProofBody struct {
	Receipt  string   `json:"receipt,omitempty" doc:"Of the comment"`
	Receipts []string `json:"receipts,omitempty" doc:"Several of them, at most 50"`
	Author   string   `json:"author,omitempty" doc:"The author's key that it was sent with"`
}

// mineBody is the body of a look at one's own comments.
type mineBody struct {
	ProofBody
	Page string `json:"page,omitempty" doc:"Of this page alone; otherwise of the whole site"`
}

// editBody is the body of an edit: all words anew.
type editBody struct {
	ProofBody
	Name    string `json:"name"`
	Title   string `json:"title"`
	Content string `json:"content"`
}

// appealBody is the body of an appeal.
type appealBody struct {
	ProofBody
	Text string `json:"text" doc:"Why the newsroom should look again, up to 1,000 characters"`
}

// reportBody is the body of a reader's report.
type reportBody struct {
	Reason string `json:"reason" enum:"insult,spam,false,personal-data,illegal,other"`
	Text   string `json:"text,omitempty" doc:"A sentence, up to 500 characters"`
	Author string `json:"author,omitempty" doc:"The reader's own key: one report a reader and comment; without, one a network"`
	Ticket string `json:"ticket,omitempty" doc:"For the comment's page; with code, once reports of the network have become many (422 required on code)"`
	Code   string `json:"code,omitempty"`
}

// ownBody is a comment as its author may see it.
type ownBody struct {
	commentBody
	Page        pageBody    `json:"page"`
	Status      string      `json:"status" enum:"pending,approved,rejected" doc:"As its author may read it"`
	Withdrawn   bool        `json:"withdrawn,omitempty"`
	Changed     bool        `json:"changed,omitempty" doc:"Earlier words stand in public until these are decided"`
	Reason      *reasonBody `json:"reason,omitempty" doc:"Why it was rejected, as the moderator chose to say"`
	MayEdit     bool        `json:"may_edit" doc:"And withdraw, until editable_until"`
	Until       *time.Time  `json:"editable_until,omitempty"`
	MayAppeal   bool        `json:"may_appeal"`
	Appeal      string      `json:"appeal,omitempty" enum:"open,upheld,granted"`
	ReceiptCode string      `json:"receipt_code,omitempty"`
}

type reasonBody struct {
	Code string `json:"code,omitempty" doc:"Of the site's list; empty for a typed reason"`
	Text string `json:"text" doc:"In the reader's language, or as typed"`
}

type ownOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Comment ownBody `json:"comment"`
	}
}

type mineOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Comments []ownBody `json:"comments" doc:"Newest first, at most 50"`
	}
}

type flaggedOutput struct {
	Status       int
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Reported bool `json:"reported" doc:"Always true; 200 when this reader had reported it before"`
	}
}

// postedOn is a POST about one comment.
type postedOn struct {
	Site        string `path:"site" doc:"Id of the site"`
	ID          string `path:"id" doc:"Id of the comment"`
	Lang        string `query:"lang" doc:"Language of messages; otherwise Accept-Language, then the site's"`
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte

	request *http.Request
}

// Resolve keeps the request itself, for whom it comes from.
func (p *postedOn) Resolve(ctx huma.Context) []error {
	p.request, _ = humamux.Unwrap(ctx)
	return nil
}

// posted is what it shares with POSTs about no one comment.
func (p *postedOn) posted() *posted {
	return &posted{Site: p.Site, Lang: p.Lang, ContentType: p.ContentType, RawBody: p.RawBody, request: p.request}
}

// proof is what a body brings to prove authorship.
func (d *Door) proof(f fields, in *posted) comments.Proof {
	return comments.Proof{Receipts: f.receipts, Author: f.text["author"], Addr: d.cfg.ClientIP(in.request)}
}

// clean is an InvalidError where what was sent is of a wrong type.
func (f fields) clean() error {
	if len(f.wrong) > 0 {
		return &comments.InvalidError{Fields: f.wrong}
	}
	return nil
}

// newOwnBody is a comment in words of its author's language.
func (d *Door) newOwnBody(l *templates.Locale, o comments.Own) ownBody {
	b := ownBody{
		commentBody: newCommentBody(o.Comment), Page: newPageBody(o.Page, !o.Page.Closed), Status: string(o.Status),
		Withdrawn: o.Withdrawn, Changed: o.Changed, MayEdit: o.MayEdit, MayAppeal: o.MayAppeal, Appeal: o.Appeal,
	}
	if o.MayEdit {
		until := o.Until.UTC()
		b.Until = &until
	}
	if words := d.reasonFor(l, o); words != "" {
		b.Reason = &reasonBody{Code: o.Reason, Text: words}
	}
	if d.cfg.ReceiptCode != nil {
		b.ReceiptCode = d.cfg.ReceiptCode(o.ID)
	}
	return b
}

// reasonFor is why a comment was rejected, in words for its author; "" when nobody said.
func (d *Door) reasonFor(l *templates.Locale, o comments.Own) string {
	switch {
	case o.ReasonText != "":
		return o.ReasonText
	case o.Reason == "":
		return ""
	}
	if d.cfg.ReasonText != nil {
		if words := d.cfg.ReasonText(context.Background(), o.Site, o.Reason, l.Lang); words != "" {
			return words
		}
	}
	if l.Has("refused." + o.Reason) {
		return l.Say("refused." + o.Reason)
	}
	return l.Say("refused.by_rules")
}

// speaks is the language of an answer.
func (d *Door) speaks(in *posted, site comments.Site) *templates.Locale {
	return d.locale(d.answerLang(in.request, in.Lang, site), site)
}

// readMine answers POST /api/v1/sites/{site}/mine. It changes nothing, and is a POST since
// receipts must not stand in an address.
func (d *Door) readMine(ctx context.Context, in *posted) (*mineOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := f.clean(); err != nil {
		return nil, err
	}
	page := ""
	if raw := f.text["page"]; raw != "" {
		if page, _, err = comments.PageKey(site, raw); err != nil {
			return nil, err
		}
	}
	list, err := d.svc.Mine(ctx, site, page, d.proof(f, in))
	if err != nil {
		return nil, err
	}
	out := &mineOutput{CacheControl: noStore}
	out.Body.Comments = make([]ownBody, len(list))
	for i, o := range list {
		out.Body.Comments[i] = d.newOwnBody(d.speaks(in, site), o)
	}
	return out, nil
}

// deed is what an author does with a comment.
type deed func(ctx context.Context, site comments.Site, id string, by comments.Proof, f fields) (comments.Own, error)

// doing makes a deed an operation.
func (d *Door) doing(do deed) func(context.Context, *postedOn) (*ownOutput, error) {
	return func(ctx context.Context, in *postedOn) (*ownOutput, error) {
		site, f, err := d.open(ctx, in.posted())
		if err != nil {
			return nil, err
		}
		if err := f.clean(); err != nil {
			return nil, err
		}
		o, err := do(ctx, site, in.ID, d.proof(f, in.posted()), f)
		if err != nil {
			return nil, err
		}
		out := &ownOutput{CacheControl: noStore}
		out.Body.Comment = d.newOwnBody(d.speaks(in.posted(), site), o)
		return out, nil
	}
}

func (d *Door) edit(ctx context.Context, site comments.Site, id string, by comments.Proof, f fields) (comments.Own, error) {
	return d.svc.Edit(ctx, site, id, by, comments.Words{Name: f.text["name"], Title: f.text["title"], Content: f.text["content"]})
}

func (d *Door) withdraw(ctx context.Context, site comments.Site, id string, by comments.Proof, _ fields) (comments.Own, error) {
	return d.svc.Withdraw(ctx, site, id, by)
}

func (d *Door) appeal(ctx context.Context, site comments.Site, id string, by comments.Proof, f fields) (comments.Own, error) {
	return d.svc.Appeal(ctx, site, id, by, f.text["text"])
}

// report answers POST /api/v1/sites/{site}/comments/{id}/report: 201, or 200 for what this
// reader has reported before.
func (d *Door) report(ctx context.Context, in *postedOn) (*flaggedOutput, error) {
	site, f, err := d.open(ctx, in.posted())
	if err != nil {
		return nil, err
	}
	if err := f.clean(); err != nil {
		return nil, err
	}
	done, err := d.svc.Flag(ctx, site, comments.Flag{
		Comment: in.ID, Reason: f.text["reason"], Text: f.text["text"], Author: f.text["author"],
		Ticket: f.text["ticket"], Code: f.text["code"], Addr: d.cfg.ClientIP(in.request),
	})
	if err != nil {
		return nil, err
	}
	out := &flaggedOutput{Status: http.StatusCreated, CacheControl: noStore}
	if done.Again {
		out.Status = http.StatusOK
	}
	out.Body.Reported = true
	return out, nil
}

// registerOwn hands these operations to huma.
func (d *Door) registerOwn() {
	const yours = "Proved by the comment's receipt or the author's key: 403 when neither does. "
	mine := d.operation("read-own", "mine", "Read one's own comments",
		"With their state, and what may be done with them. Receipts of other sites, or of nothing, are passed over.", reflect.TypeFor[mineBody]())
	register(d, mine, d.readMine)
	d.registerLookUp()
	for _, o := range []struct {
		id, path, summary, text string
		body                    reflect.Type
		do                      deed
	}{
		{"edit-comment", "edit", "Edit one's own comment", yours + "Within the site's edit_window (403 after it). Words that were public stay so until a moderator has decided on the new ones.",
			reflect.TypeFor[editBody](), d.edit},
		{"withdraw-comment", "withdraw", "Withdraw one's own comment", yours + "Within the site's edit_window, for good.", reflect.TypeFor[ProofBody](), d.withdraw},
		{"appeal-comment", "appeal", "Appeal against a rejection", yours + "Once for a comment: 409 afterwards.", reflect.TypeFor[appealBody](), d.appeal},
	} {
		op := d.operation(o.id, "comments/{id}/"+o.path, o.summary, o.text, o.body)
		op.Errors = append(op.Errors, http.StatusConflict, http.StatusUnprocessableEntity)
		register(d, op, d.doing(o.do))
	}
	report := d.operation("report-comment", "comments/{id}/report", "Report a comment to the moderators",
		"Counts once for a reader and comment. Needs no code unless the network reports much.", reflect.TypeFor[reportBody]())
	report.DefaultStatus = http.StatusCreated
	report.Errors = append(report.Errors, http.StatusUnprocessableEntity)
	register(d, report, d.report)
}

// register hands an operation to huma, with its body as JSON alone.
func register[I, O any](d *Door, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	body := op.RequestBody.Content
	media := body["application/json"]
	huma.Register(d.cfg.API, op, do)
	onlyJSON(body, media)
}
