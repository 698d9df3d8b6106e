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

// find looks a comment up by JSON.
func (h *house) find(code, name string) (int, string) {
	w := h.postJSON(apiPath+"/receipt", map[string]any{"receipt_code": code, "name": name})
	return w.Code, w.Body.String()
}

// TestLookUp: the code and the name lead back to the comment, with a receipt that proves
// it; whatever is wrong with either, the answer is the same, and changes nothing.
func TestLookUp(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	code := h.mine(map[string]any{"receipt": receipt})[0].ReceiptCode
	name := h.body()["name"].(string)
	if _, err := h.svc.AddSite(t.Context(), "other", "Báo khác", []string{"https://other.example"}, comments.ActorOperator); err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{code, strings.ToLower(code), " " + strings.ReplaceAll(code, "-", " ")} {
		status, body := h.find(typed, "  "+strings.ToUpper(name))
		var out struct {
			Comment ownBody
			Receipt string
		}
		if err := json.Unmarshal([]byte(body), &out); err != nil || status != 200 || out.Comment.ID != id || !out.Comment.MayEdit || out.Receipt != receipt {
			t.Fatalf("%q: %d %s %v", typed, status, body, err)
		}
	}
	_, nothing := h.find("AAAA-AAAA", name)
	if !strings.Contains(nothing, "unknown_receipt") {
		t.Fatal(nothing)
	}
	for what, c := range map[string][2]string{
		"another's name": {code, "Người khác"}, "another code": {"0000-0000", name}, "no code": {"mã của tôi", name},
		"too long": {strings.Repeat(code, 20), name}, "the receipt": {receipt, name}, "the id": {id, name},
	} {
		h.pass(time.Hour)
		if status, body := h.find(c[0], c[1]); status != 422 || body != nothing {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
	h.pass(time.Hour)
	if w := h.postJSON("/api/v1/sites/other/receipt", map[string]any{"receipt_code": code, "name": name}); w.Code != 422 || !strings.Contains(w.Body.String(), "unknown_receipt") {
		t.Errorf("on another site: %d %s", w.Code, w.Body)
	}
	for _, c := range [][2]string{{"", name}, {code, ""}, {" ", " "}} {
		if status, body := h.find(c[0], c[1]); status != 422 || !strings.Contains(body, `"required"`) {
			t.Errorf("%q: %d %s", c, status, body)
		}
	}
	if w := h.get(apiPath + "/receipt?receipt_code=" + code); w.Code != 404 && w.Code != 405 {
		t.Errorf("by GET: %d", w.Code)
	}
}

// TestLookUpIsNoGuessing: few tries a network, few a site from wherever they come, whatever
// the site has set; finding costs none.
func TestLookUpIsNoGuessing(t *testing.T) {
	h := newHouse(t, "") // with rate_limit=off
	_, receipt := h.sendOwn("Lời đầu")
	code := h.mine(map[string]any{"receipt": receipt})[0].ReceiptCode
	name := h.body()["name"].(string)
	for range 8 {
		if status, body := h.find(code, name); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	for i := range 6 {
		status, _ := h.find("AAAA-AAAA", name)
		if want := map[bool]int{true: 422, false: 429}[i < 5]; status != want {
			t.Fatalf("guess %d: %d", i, status)
		}
	}
	if status, _ := h.find(code, name); status != 429 {
		t.Errorf("a right one after too many: %d", status)
	}
	tries := 0
	for i := range 400 {
		r := request(http.MethodPost, apiPath+"/receipt", `{"receipt_code":"AAAA-AAAA","name":"x"}`, "Content-Type", "application/json")
		r.RemoteAddr = fmt.Sprintf("[2001:db8:%x::1]:1", i)
		if w := h.do(r); w.Code == 422 {
			tries++
		}
	}
	if tries != 295 {
		t.Errorf("%d tries from everywhere", tries)
	}
}

// TestLookUpWithoutScript: another browser finds the comment by its code, and may from then
// on what its author may.
func TestLookUpWithoutScript(t *testing.T) {
	h := newHouse(t, "")
	id, receipt := h.sendOwn("Lời đầu")
	code := h.mine(map[string]any{"receipt": receipt})[0].ReceiptCode
	name := h.body()["name"].(string)
	const path = "/s/" + testSite + "/receipt"
	if w := h.get(path); w.Code != 200 || strings.Contains(w.Body.String(), "dy-own") || len(w.Result().Cookies()) != 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := h.postForm(path, url.Values{"receipt_code": {"<b>"}, "name": {name}}, sameOrigin...)
	if w.Code != 422 || !strings.Contains(w.Body.String(), `value="&lt;b&gt;"`) || !strings.Contains(w.Body.String(), `id="bien-nhan-loi"`) || len(w.Result().Cookies()) != 0 {
		t.Errorf("with a slip: %d %s", w.Code, w.Body)
	}
	if w := h.postForm(path, url.Values{"receipt_code": {code}, "name": {name}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	w = h.postForm(path, url.Values{"receipt_code": {code}, "name": {name}}, sameOrigin...)
	cookies := w.Result().Cookies()
	if w.Code != 303 || len(cookies) != 1 || !cookies[0].HttpOnly || strings.Contains(w.Header().Get("Location"), receipt) || strings.Contains(w.Header().Get("Location"), code) {
		t.Fatalf("found: %d %v", w.Code, w.Header())
	}
	me := append([]string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}, sameOrigin...)
	page := h.get(strings.Split(w.Header().Get("Location"), "#")[0], me...).Body.String()
	if !strings.Contains(page, "Lời đầu") || !strings.Contains(page, `id="thong-bao"`) || !strings.Contains(page, "/edit?") {
		t.Errorf("the page then: %s", page)
	}
	withdraw := "/s/" + testSite + "/comments/" + url.PathEscape(id) + "/withdraw"
	if w := h.postForm(withdraw, url.Values{}, me...); w.Code != 303 {
		t.Errorf("withdraw: %d %s", w.Code, w.Body)
	}
	if page := h.get(path, me...).Body.String(); !strings.Contains(page, "Bạn đã rút lại") || strings.Contains(page, "/edit?") {
		t.Errorf("the page of what was withdrawn: %s", page)
	}
	if page := h.get(path + "?comment=" + url.QueryEscape(id)).Body.String(); strings.Contains(page, "Lời đầu") || strings.Contains(page, `id="thong-bao"`) {
		t.Errorf("the page without a receipt: %s", page)
	}
}
