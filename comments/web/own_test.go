package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

const authorKey = "0123456789abcdefghijkl"

// sendOwn posts a comment and answers its id and receipt.
func (h *house) sendOwn(content string) (id, receipt string) {
	h.t.Helper()
	body := h.body()
	body["content"], body["author"] = content, authorKey
	w := h.postJSON(commentsPath, body)
	var done submittedBody
	if err := json.Unmarshal(w.Body.Bytes(), &done); err != nil || w.Code != http.StatusCreated {
		h.t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	return done.Comment.ID, done.Receipt
}

// deed posts about a comment and answers status and comment.
func (h *house) deed(id, what string, body map[string]any) (int, ownBody, string) {
	h.t.Helper()
	w := h.postJSON(commentsPath+"/"+id+"/"+what, body)
	var out struct {
		Comment ownBody
		Code    string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		h.t.Fatalf("%s: %d %s", what, w.Code, w.Body)
	}
	return w.Code, out.Comment, out.Code
}

func (h *house) mine(body map[string]any) []ownBody {
	h.t.Helper()
	w := h.postJSON(apiPath+"/mine", body)
	var out struct{ Comments []ownBody }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		h.t.Fatalf("mine: %d %s", w.Code, w.Body)
	}
	return out.Comments
}

func newWords(content string) map[string]any {
	return map[string]any{"name": "Ánh", "title": "Sửa", "content": content}
}

func with(m map[string]any, pairs ...any) map[string]any {
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// TestOwnComment: with receipt or key an author sees, edits and withdraws, within the
// window; what was public stands until the new words are decided.
func TestOwnComment(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	for _, by := range []map[string]any{{"receipt": receipt}, {"author": authorKey}, {"receipts": []string{"rubbish", receipt}, "page": testPage}} {
		if list := h.mine(by); len(list) != 1 || list[0].ID != id || list[0].Status != "pending" || !list[0].MayEdit || list[0].ReceiptCode == "" || list[0].Text != "Lời đầu" {
			t.Fatalf("%v: %+v", by, list)
		}
	}
	if list := h.mine(map[string]any{"author": strings.Repeat("x", 22), "receipts": []string{"rx", receipt + "A"}}); len(list) != 0 {
		t.Fatalf("somebody else's: %+v", list)
	}
	h.decide(comments.ID(id), comments.Approved)
	code, own, _ := h.deed(id, "edit", with(newWords("Lời hai"), "receipt", receipt))
	if code != 200 || own.Status != "pending" || !own.Changed || own.Text != "Lời hai" || own.EditedAt == nil {
		t.Fatalf("edit: %d %+v", code, own)
	}
	thread := read[threadBody](h, apiPath+"/thread?page="+url.QueryEscape(testPage))
	if len(thread.Comments) != 1 || thread.Comments[0].Text != "Lời đầu" || thread.Comments[0].EditedAt != nil || thread.Page.Count != 1 {
		t.Fatalf("the thread while the edit waits: %+v", thread)
	}
	if w := h.postJSON(commentsPath+"/"+id+"/edit", with(newWords(""), "receipt", receipt)); w.Code != 422 || !strings.Contains(w.Body.String(), `"body.content"`) {
		t.Errorf("an empty edit: %d %s", w.Code, w.Body)
	}
	code, own, _ = h.deed(id, "withdraw", map[string]any{"author": authorKey})
	if code != 200 || !own.Withdrawn || own.MayEdit {
		t.Fatalf("withdraw: %d %+v", code, own)
	}
	if code, _, _ = h.deed(id, "withdraw", map[string]any{"author": authorKey}); code != 200 {
		t.Errorf("withdrawn again: %d", code)
	}
	if code, _, problem := h.deed(id, "edit", with(newWords("Lời ba"), "author", authorKey)); code != 403 || problem != "too_late" {
		t.Errorf("an edit of what was withdrawn: %d %s", code, problem)
	}
	if thread := read[threadBody](h, apiPath+"/thread?page="+url.QueryEscape(testPage)); len(thread.Comments) != 0 || thread.Page.Count != 0 {
		t.Errorf("the thread after it: %+v", thread)
	}
}

// TestOwnRefused: what is not one's own, or too late, changes nothing.
func TestOwnRefused(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	other, otherReceipt := h.sendOwn("Lời khác")
	head, err := h.db.Head(t.Context(), testSite)
	if err != nil {
		t.Fatal(err)
	}
	foreign := "other~" + strings.TrimPrefix(id, testSite+"~")
	for name, c := range map[string]struct {
		id   string
		by   map[string]any
		code int
	}{
		"nothing":          {id, map[string]any{}, 403},
		"forged":           {id, map[string]any{"receipt": receipt[:len(receipt)-2] + "AA"}, 403},
		"of another":       {id, map[string]any{"receipt": otherReceipt}, 403},
		"another's key":    {id, map[string]any{"author": strings.Repeat("z", 30)}, 403},
		"no key":           {id, map[string]any{"author": "short"}, 422},
		"another type":     {id, map[string]any{"receipt": 5}, 422},
		"another site's":   {foreign, map[string]any{"receipt": receipt}, 404},
		"no id":            {"rubbish", map[string]any{"receipt": receipt}, 404},
		"of the other":     {other, map[string]any{"receipt": receipt}, 403},
		"appeal of no one": {id, map[string]any{"receipt": receipt, "only": "appeal"}, 409},
	} {
		for _, what := range []string{"edit", "withdraw", "appeal"} {
			if only, ok := c.by["only"]; ok && only != what {
				continue
			}
			body := with(newWords("Sửa"), "text", "Xin xem lại")
			for k, v := range c.by {
				body[k] = v
			}
			if w := h.postJSON(commentsPath+"/"+c.id+"/"+what, body); w.Code != c.code {
				t.Errorf("%s, %s: %d %s", name, what, w.Code, w.Body)
			}
		}
	}
	h.pass(time.Hour)
	for _, what := range []string{"edit", "withdraw"} {
		if code, _, problem := h.deed(id, what, with(newWords("Sửa"), "receipt", receipt)); code != 403 || problem != "too_late" {
			t.Errorf("%s after the window: %d %s", what, code, problem)
		}
	}
	if after, err := h.db.Head(t.Context(), testSite); err != nil || after.Seq != head.Seq {
		t.Errorf("something changed: %+v, %v", after, err)
	}
	if w := h.get(commentsPath + "/" + id + "/edit"); w.Code != 404 && w.Code != 405 {
		t.Errorf("GET of an edit: %d", w.Code)
	}
	if w := h.postJSON(commentsPath+"/"+id+"/withdraw", map[string]any{"receipt": receipt}, "Origin", "https://evil.example"); w.Code != 403 {
		t.Errorf("from another origin: %d", w.Code)
	}
}

// TestAppeal: once, with a sentence; the reason reads in the author's language.
func TestAppeal(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	done, err := h.db.Amend(t.Context(), []comments.Amendment{{ID: comments.ID(id), Actor: "m-1", Decide: func(c comments.Comment, _ comments.Transition) (*comments.Step, error) {
		c.Status = comments.Rejected
		return &comments.Step{Comment: c, Kind: comments.KindDecided, Reason: "insult"}, nil
	}}})
	if err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
	list := h.mine(map[string]any{"receipt": receipt})
	if len(list) != 1 || list[0].Status != "rejected" || list[0].Reason == nil || list[0].Reason.Code != "insult" || !strings.Contains(list[0].Reason.Text, "xúc phạm") || !list[0].MayAppeal || list[0].MayEdit {
		t.Fatalf("%+v", list)
	}
	if w := h.postJSON(commentsPath+"/"+id+"/appeal", map[string]any{"receipt": receipt, "text": " "}); w.Code != 422 || !strings.Contains(w.Body.String(), `"body.text"`) {
		t.Errorf("without a sentence: %d %s", w.Code, w.Body)
	}
	code, own, _ := h.deed(id, "appeal", map[string]any{"receipt": receipt, "text": "Tôi không nói ai cả."})
	if code != 200 || own.Appeal != "open" || own.MayAppeal || own.Status != "rejected" {
		t.Fatalf("appeal: %d %+v", code, own)
	}
	if code, _, problem := h.deed(id, "appeal", map[string]any{"receipt": receipt, "text": "Lần nữa"}); code != 409 || problem != "no_appeal" {
		t.Errorf("twice: %d %s", code, problem)
	}
	head, err := h.db.Head(t.Context(), testSite)
	if err != nil || head.Queues.Appeals != 1 {
		t.Errorf("head %+v, %v", head, err)
	}
	history, err := h.db.History(t.Context(), comments.ID(id))
	if err != nil || history[len(history)-1].Note != "Tôi không nói ai cả." {
		t.Errorf("history %+v, %v", history, err)
	}
}

// TestSpamReadsPending: an author whose comment was taken for spam is told nothing by what
// they may do.
func TestSpamReadsPending(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	h.decide(comments.ID(id), comments.Spam)
	code, own, _ := h.deed(id, "edit", with(newWords("Lời hai"), "receipt", receipt))
	if code != 200 || own.Status != "pending" || own.Text != "Lời hai" || !own.MayEdit {
		t.Errorf("%d %+v", code, own)
	}
	if c, err := h.db.Comment(t.Context(), comments.ID(id)); err != nil || c.Status != comments.Spam || c.Content != "Lời hai" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestReport: one a reader and comment; in bulk each costs a code.
func TestReport(t *testing.T) {
	h := newHouse(t, "", "rate_limit=on")
	var ids []string
	for i := range 7 {
		ids = append(ids, string(h.publish(testPage, "Hạnh", fmt.Sprint("Lời ", i), "").ID))
	}
	hidden, _ := h.sendOwn("Chưa duyệt")
	report := func(id string, body map[string]any) (int, string) {
		w := h.postJSON(commentsPath+"/"+id+"/report", body)
		return w.Code, w.Body.String()
	}
	if code, body := report(ids[0], map[string]any{"reason": "insult", "text": "Nặng lời", "author": authorKey}); code != 201 {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := report(ids[0], map[string]any{"reason": "spam", "author": authorKey}); code != 200 {
		t.Errorf("again: %d", code)
	}
	for name, c := range map[string]struct {
		id   string
		body map[string]any
		code int
	}{
		"no reason":      {ids[1], map[string]any{}, 422},
		"unknown reason": {ids[1], map[string]any{"reason": "boring"}, 422},
		"too long":       {ids[1], map[string]any{"reason": "other", "text": strings.Repeat("x", 501)}, 422},
		"not public":     {hidden, map[string]any{"reason": "other"}, 404},
		"another site's": {"other~" + strings.TrimPrefix(ids[1], testSite+"~"), map[string]any{"reason": "other"}, 404},
	} {
		if code, body := report(c.id, c.body); code != c.code {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	for i := 1; i < 5; i++ {
		if code, body := report(ids[i], map[string]any{"reason": "other"}); code != 201 {
			t.Fatalf("report %d: %d %s", i, code, body)
		}
	}
	if code, body := report(ids[5], map[string]any{"reason": "other"}); code != 422 || !strings.Contains(body, `"body.code"`) {
		t.Errorf("in bulk: %d %s", code, body)
	}
	ticket, solution := h.ticket(testPage)
	if code, body := report(ids[5], map[string]any{"reason": "other", "ticket": ticket, "code": solution}); code != 201 {
		t.Errorf("with a code: %d %s", code, body)
	}
	if code, _ := report(ids[6], map[string]any{"reason": "other", "ticket": ticket, "code": solution}); code != 422 {
		t.Errorf("with a code that was used: %d", code)
	}
	head, err := h.db.Head(t.Context(), testSite)
	if err != nil || head.Queues.Reported != 6 {
		t.Errorf("%+v, %v", head.Queues, err)
	}
}

// TestDeedsWithoutScript: the same by pages and forms, proved by cookies; every word is
// kept when something is wrong.
func TestDeedsWithoutScript(t *testing.T) {
	h := newHouse(t, "")
	form := h.form()
	form.Set("content", "Lời đầu")
	posted := h.postForm(formPath, form, sameOrigin...)
	if posted.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", posted.Code, posted.Body)
	}
	var cookies []string
	for _, c := range posted.Result().Cookies() {
		if !c.HttpOnly || !strings.HasPrefix(c.Path, "/s/"+testSite) {
			t.Errorf("cookie %+v", c)
		}
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	me := append([]string{"Cookie", strings.Join(cookies, "; ")}, sameOrigin...)
	page := h.get(threadPath(), me...).Body.String()
	i := strings.Index(page, "/edit?")
	if i < 0 {
		t.Fatalf("no way to edit: %s", page)
	}
	edit := page[strings.LastIndex(page[:i], `"`)+1:]
	edit = strings.ReplaceAll(edit[:strings.Index(edit, `"`)], "&amp;", "&")
	if w := h.get(edit, me...); w.Code != 200 || !strings.Contains(w.Body.String(), "Lời đầu") {
		t.Fatalf("%s: %d %s", edit, w.Code, w.Body)
	}
	if w := h.get(edit); w.Code != 403 {
		t.Errorf("without cookies: %d", w.Code)
	}
	w := h.postForm(edit, url.Values{"name": {""}, "title": {"Góp ý"}, "content": {"Lời quý giá"}}, me...)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "Lời quý giá") || !strings.Contains(w.Body.String(), `id="ten-loi"`) {
		t.Errorf("with a slip: %d %s", w.Code, w.Body)
	}
	if w := h.postForm(edit, url.Values{"name": {"Ánh"}, "title": {"Góp ý"}, "content": {"Lời hai"}}, "Cookie", me[1], "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	w = h.postForm(edit, url.Values{"name": {"Ánh"}, "title": {"Góp ý"}, "content": {"Lời hai"}}, me...)
	if w.Code != 303 || !strings.Contains(w.Header().Get("Location"), "sent=edit") {
		t.Fatalf("edit: %d %s", w.Code, w.Body)
	}
	if after := h.get(threadPath(), me...).Body.String(); !strings.Contains(after, "Lời hai") || strings.Contains(after, "Lời đầu") {
		t.Errorf("after it: %s", after)
	}
	public := h.publish(testPage, "Hạnh", "Lời của người khác", "")
	report := "/s/" + testSite + "/comments/" + url.PathEscape(string(public.ID)) + "/report"
	if w := h.get(report); w.Code != 200 || strings.Contains(w.Body.String(), `name="code"`) {
		t.Errorf("the page for reports: %d %s", w.Code, w.Body)
	}
	w = h.postForm(report, url.Values{"text": {"Vì sao thế"}}, me...)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "Vì sao thế") || !strings.Contains(w.Body.String(), `id="reason-loi"`) {
		t.Errorf("without a reason: %d %s", w.Code, w.Body)
	}
	w = h.postForm(report, url.Values{"reason": {"false"}, "text": {"Vì sao thế"}}, me...)
	if w.Code != 303 {
		t.Errorf("report: %d %s", w.Code, w.Body)
	}
	if c, err := h.db.Comment(t.Context(), public.ID); err != nil || c.Reports != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	withdraw := strings.Replace(edit, "/edit?", "/withdraw?", 1)
	if w := h.postForm(withdraw, url.Values{}, me...); w.Code != 303 {
		t.Errorf("withdraw: %d %s", w.Code, w.Body)
	}
	if w := h.get(edit, me...); w.Code != 200 || strings.Contains(w.Body.String(), "<form method") {
		t.Errorf("an edit of what was withdrawn: %d %s", w.Code, w.Body)
	}
}
