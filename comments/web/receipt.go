package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/templates"
)

// The page of a reader's own comments, and the way back to one whose receipt code was
// written down: by the code and the name the browser is given the receipt.
const ownPath = "/s/{site}/receipt"

// ownPageData is what the template of that page sees.
type ownPageData struct {
	Site, Action string
	Code, Name   string // as typed
	Errors       []slip
	By           map[string]*slip
	Failed       *noticeData
	Notices      []noticeData
	Own          []ownData
}

func (d *Door) receiptRoutes(r *mux.Router) {
	r.Handle(ownPath, d.page(d.showReceipts)).Methods(http.MethodGet)
	r.Handle(ownPath, d.page(d.findReceipt)).Methods(http.MethodPost)
}

// ownPage is the page with the latest comments that the browser proves.
func (d *Door) ownPage(ctx context.Context, s screen) (*ownPageData, error) {
	p := &ownPageData{Site: s.site.Name, Action: d.receiptURL(s), By: map[string]*slip{}}
	if s.proof.Author == "" && len(s.proof.Receipts) == 0 {
		return p, nil
	}
	list, err := d.svc.Mine(ctx, s.site, "", s.proof)
	for _, o := range list {
		p.Own = append(p.Own, d.newOwn(s, o))
	}
	return p, err
}

// receiptURL is the address of that page.
func (d *Door) receiptURL(s screen) string {
	return d.tpl.URL(pagesPrefix+s.site.ID) + "/receipt?lang=" + s.l.Lang
}

// showReceipts answers GET. The comment asked for by the parameter comment comes first,
// where the browser proves it.
func (d *Door) showReceipts(w http.ResponseWriter, r *http.Request) error {
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	s := d.newScreen(r, a, nil)
	p, err := d.ownPage(r.Context(), s)
	if err != nil {
		return err
	}
	id, err := comments.ParseID(a.query.Get("comment"))
	if i := slices.IndexFunc(p.Own, func(o ownData) bool { return o.Anchor == anchor(id) }); err == nil && i >= 0 {
		found := p.Own[i]
		p.Own = slices.Insert(slices.Delete(p.Own, i, i+1), 0, found)
		p.Notices = append(p.Notices, noticeData{Kind: "good", Icon: "check", Role: "status", ID: noticeAnchor,
			Title: s.l.Say("lookup.found"), Lines: []string{s.l.Say("lookup.found_help")}})
	}
	return d.sendOwnPage(w, http.StatusOK, s, p)
}

// findReceipt answers POST: the browser is given the receipt, or the form comes again.
func (d *Door) findReceipt(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	a, err := d.ask(r)
	if err != nil {
		return err
	}
	s := d.newScreen(r, a, nil)
	found, err := d.svc.LookUp(r.Context(), s.site, form.Get("receipt_code"), form.Get("name"), s.addr)
	if err == nil {
		d.keepReceipt(w, r, s.site, found.Receipt)
		w.Header().Set("Cache-Control", noStore)
		w.Header().Set("Location", d.receiptURL(s)+"&comment="+url.QueryEscape(string(found.ID))+"#"+noticeAnchor)
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	if templates.PrefersJSON(r) || errors.Is(err, comments.ErrMalformed) {
		return err
	}
	p, pageErr := d.ownPage(r.Context(), s)
	if pageErr != nil && !errors.Is(pageErr, comments.ErrUnavailable) {
		return pageErr
	}
	p.Code, p.Name = form.Get("receipt_code"), form.Get("name")
	return d.receiptFailed(w, r, s, p, err)
}

func (d *Door) receiptFailed(w http.ResponseWriter, r *http.Request, s screen, p *ownPageData, err error) error {
	problem := d.tpl.Problem(err, s.l)
	var invalid *comments.InvalidError
	if errors.As(err, &invalid) {
		f := formData{By: p.By}
		f.fail(s.l, invalid)
		p.Errors = f.Errors
	} else {
		p.Failed = &noticeData{Kind: "look", Icon: "warn", Role: "alert", ID: noticeAnchor, Focus: true,
			Title: problem.Title, Lines: []string{s.l.Say("deed.intact")}}
	}
	for name, values := range problem.GetHeaders() {
		w.Header()[name] = values
	}
	d.tpl.Log(r.Context(), r.Method, ownPath, problem.Status, err)
	return d.sendOwnPage(w, problem.Status, s, p)
}

func (d *Door) sendOwnPage(w http.ResponseWriter, status int, s screen, p *ownPageData) error {
	title := s.l.Say("lookup.title")
	if status != http.StatusOK {
		title = s.l.Say("deed.error", "Title", title)
	}
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Add("Vary", "Accept-Language, Cookie")
	return d.tpl.Page(w, status, "reader/receipt", templates.View{L: s.l, D: p, Title: title, NoIndex: true})
}

// lookUpBody is the body of a look-up.
type lookUpBody struct {
	ReceiptCode string `json:"receipt_code" doc:"As it was shown, such as K7QX-29MD; case and hyphen don't matter"`
	Name        string `json:"name" doc:"Under which the comment was written"`
}

type foundOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Comment ownBody `json:"comment"`
		Receipt string  `json:"receipt" doc:"Proves authorship from now on. Keep it; never put it in an address"`
	}
}

// lookUp answers POST /api/v1/sites/{site}/receipt. It changes nothing, and is a POST
// since codes must not stand in an address.
func (d *Door) lookUp(ctx context.Context, in *posted) (*foundOutput, error) {
	site, f, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := f.clean(); err != nil {
		return nil, err
	}
	found, err := d.svc.LookUp(ctx, site, f.text["receipt_code"], f.text["name"], d.cfg.ClientIP(in.request))
	if err != nil {
		return nil, err
	}
	out := &foundOutput{CacheControl: noStore}
	out.Body.Comment, out.Body.Receipt = d.newOwnBody(d.speaks(in, site), found.Own), found.Receipt
	return out, nil
}

func (d *Door) registerLookUp() {
	op := d.operation("find-by-receipt-code", "receipt", "Find one's comment by its receipt code",
		"By the code and the name under it. One answer (422 unknown_receipt) stands for a code of nothing and for another's name; a network and a site have few tries.",
		reflect.TypeFor[lookUpBody]())
	op.Errors = append(op.Errors, http.StatusUnprocessableEntity)
	register(d, op, d.lookUp)
}
