package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// An author sees what becomes of a comment, by the word of the service, and edits, withdraws
// and appeals in its place; readers of the page are told of nothing that is none of theirs.
func (h *house) own(t *testing.T, writer, other *reader) {
	h.t = t
	article := h.article("bai-6", "vi")
	writer.open(article)
	h.write(writer, "Vũ Thu Hà", "Xin thêm ghế đá", letter)
	writer.wait(`seen('.dy-own [data-dy-deed=edit]') && seen('.dy-own .dy-receipt')`)
	writer.click("[data-dy-deed=edit]")
	writer.fill(".dy-deed [name=content]", "Viết lại.")
	writer.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(2)), chromedp.KeyEvent(kb.Delete))
	writer.click(".dy-deed .dy-btn-main")
	writer.wait(`$('.dy-deed .dy-err') && root().activeElement.name === 'content' && root().activeElement.ariaInvalid === 'true'`)
	writer.do(chromedp.KeyEvent("Mẹ tôi 78 tuổi, đi bộ mỗi chiều."))
	writer.picture("edit")
	axe(t, writer.tab, "edit")
	writer.reload()
	writer.wait(`$('.dy-mine .dy-deed [name=content]') && $('.dy-mine .dy-deed [name=content]').value === 'Mẹ tôi 78 tuổi, đi bộ mỗi chiều.'`)
	writer.click(".dy-deed .dy-btn-main")
	writer.wait(`seen('.dy-own .dy-good') && root().activeElement.matches('.dy-good') && $('.dy-own .dy-text').textContent.includes('mỗi chiều')`)
	writer.picture("edit-sent")
	h.decide("approve")
	writer.reload()
	writer.wait(`seen('.dy-thread .dy-yours [data-dy-deed=edit]') && !$('.dy-own')`)
	writer.picture("own-public")

	// Its edit waits beside the words that stand, and is no news to anybody.
	other.open(article)
	writer.click("[data-dy-deed=edit]")
	writer.fill(".dy-deed [name=title]", "Xin thêm ghế gỗ")
	writer.click(".dy-deed .dy-btn-main")
	writer.wait(`seen('.dy-thread .dy-own .dy-good') && $('.dy-own .dy-title').textContent === 'Xin thêm ghế gỗ' && $('.dy-thread .dy-title').textContent === 'Xin thêm ghế đá'`)
	if got := writer.text(".dy-own .dy-state"); !strings.Contains(got, "bản cũ vẫn hiện") {
		t.Errorf("an edit that waits: %q", got)
	}
	writer.picture("own-changed")
	axe(t, writer.tab, "own, changed")
	h.decide("approve")
	h.say(article, "Ông Tư", "")
	other.wait(`seen('.dy-new')`)
	if got := other.text(".dy-new"); got != "Xem 1 bình luận mới" {
		t.Errorf("after an edit, its approval and a new comment: %q", got)
	}
	other.click(".dy-new")
	other.wait(`$$('.dy-thread .dy-c').length === 2 && $('.dy-title').textContent === 'Xin thêm ghế gỗ'`)

	// Rejected, with a reason, and appealed.
	h.write(writer, "Vũ Thu Hà", "Hàng quán bán đắt", "Ly nước mía 50 nghìn là quá đáng.")
	writer.wait(`seen('.dy-form .dy-own')`)
	h.reject("off-topic")
	eval[bool](writer, `document.dispatchEvent(new Event('visibilitychange'))`) // the reader comes back to the page
	writer.wait(`seen('.dy-form .dy-own [data-dy-deed=appeal]') && $('.dy-own [role=alert]').textContent.includes('Không được đăng')`)
	writer.do(chromedp.EmulateViewport(320, 800), media("dark")) // before the page is loaded anew: colours fade from one to the other
	writer.reload()
	writer.wait(`seen('.dy-own [data-dy-deed=appeal]')`)
	if got := writer.text(".dy-own"); !strings.Contains(got, "Không được đăng") || !strings.Contains(got, "Lý do: Bình luận không nói về bài này.") {
		t.Errorf("rejected: %s", got)
	}
	writer.click("[data-dy-deed=appeal]")
	writer.wait(`root().activeElement.matches('.dy-deed textarea')`)
	writer.do(chromedp.KeyEvent("Giá hàng quán là chuyện của phố đi bộ."))
	if wide := eval[int](writer, `document.documentElement.scrollWidth`); wide > 320 {
		t.Errorf("an appeal is %d pixels wide at 320", wide)
	}
	writer.picture("appeal")
	axe(t, writer.tab, "appeal")
	writer.click(".dy-deed .dy-btn-main")
	writer.wait(`seen('.dy-own .dy-good') && !$('[data-dy-deed=appeal]') && $('.dy-own').textContent.includes('đang chờ tòa soạn xem lại')`)
	writer.picture("appealed")
	axe(t, writer.tab, "appealed")
	var queue struct{ Items []struct{ ID string } }
	if status, err := h.call(t.Context(), "GET", "/api/v1/moderation/queue?queue=appeals&site="+testSite, h.token, nil, &queue); status != 200 || err != nil || len(queue.Items) != 1 {
		t.Errorf("appeals: %d %v %v", status, queue, err)
	}

	// Withdrawn in two steps.
	writer.reload()
	writer.wait(`!$('[data-dy-deed=appeal]')`)
	writer.click(".dy-yours [data-dy-deed=withdraw]")
	writer.wait(`root().activeElement.matches('.dy-deed')`)
	writer.picture("withdraw")
	writer.click(".dy-deed .dy-send .dy-act")
	writer.wait(`!$('.dy-deed') && root().activeElement.matches('[data-dy-deed=withdraw]')`)
	writer.click(".dy-yours [data-dy-deed=withdraw]")
	writer.click(".dy-deed .dy-btn")
	writer.wait(`seen('.dy-good') && root().activeElement.matches('.dy-good') && $$('.dy-thread .dy-c').length === 1 && !$('.dy-yours')`)
	writer.picture("withdrawn")
	writer.quiet()
	other.quiet()
}

// A reader reports a comment in its place, once.
func (h *house) reports(t *testing.T, r *reader) {
	h.t = t
	source, err := os.ReadFile(filepath.Join("testdata", "axe-4.14.1.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	article := "bai-7"
	id := h.say(h.article(article, "vi"), "Ông Tư", "")
	h.say(h.article(article, "en"), "Mr Four", "")
	for _, lang := range []string{"vi", "en"} {
		for _, width := range []int64{320, 1280} {
			r.do(media(map[int64]string{320: "dark", 1280: "light"}[width]), chromedp.EmulateViewport(width, 800))
			r.open(h.article(article, lang))
			r.click(".dy-acts [href*=report]")
			r.wait(`root().activeElement.type === 'radio'`)
			r.click(".dy-deed .dy-btn-main")
			r.wait(`$('.dy-deed .dy-err')`)
			if wide := eval[int](r, `document.documentElement.scrollWidth`); wide > int(width) {
				t.Errorf("%d pixels wide at %d", wide, width)
			}
			eval[bool](r, string(source)+";true")
			for _, found := range eval[[]string](r, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + v.help + '\n' + n.html + '\n' + n.failureSummary)))`) {
				t.Errorf("%s %d: %s", lang, width, found)
			}
			r.picture("report-" + lang + map[int64]string{320: "-phone", 1280: ""}[width])
		}
	}
	r.open(h.article(article, "vi"))
	r.click(".dy-acts [href*=report]")
	r.click(".dy-deed [value=spam]")
	r.fill(".dy-deed textarea", "Bán hàng.")
	r.click(".dy-deed .dy-btn-main")
	r.wait(`seen('.dy-good') && root().activeElement.matches('.dy-good') && seen('.dy-reported') && !$('.dy-acts [href*=report]')`)
	r.picture("reported")
	r.reload()
	r.wait(`seen('.dy-reported')`)
	var queue struct{ Items []struct{ ID string } }
	if status, err := h.call(t.Context(), "GET", "/api/v1/moderation/queue?queue=reported&site="+testSite, h.token, nil, &queue); status != 200 || err != nil || len(queue.Items) != 1 || queue.Items[0].ID != id {
		t.Errorf("reported: %d %v %v", status, queue, err)
	}
	r.quiet()
}

// What the newsroom would hold is said kindly, once for the same words, and may be sent.
func (h *house) nudged(t *testing.T, r *reader) {
	h.t = t
	r.open(h.article("bai-8", "vi"))
	h.write(r, "Vũ Thu Hà", "Góp quỹ sửa đường", "Xin đưa số tài khoản 0071000123456 Vietcombank, căn cước 001087012345.")
	r.wait(`seen('[data-dy-nudge]') && root().activeElement.matches('[data-dy-nudge]')`)
	r.picture("nudge")
	r.click("[data-dy-mend]")
	r.wait(`!seen('[data-dy-nudge]') && root().activeElement === $('#noidung')`)
	r.click(".dy-btn-main") // sent anyway
	r.wait(`seen('.dy-own')`)
	h.decide("approve")
	r.quiet()
}

// reject rejects the one comment that waits.
func (h *house) reject(reason string) {
	h.t.Helper()
	var queue struct{ Items []struct{ ID string } }
	if status, err := h.call(h.t.Context(), "GET", "/api/v1/moderation/queue?status=pending&site="+testSite, h.token, nil, &queue); status != 200 || err != nil || len(queue.Items) != 1 {
		h.t.Fatalf("the queue: %d %v %v", status, queue.Items, err)
	}
	body := map[string]any{"decisions": []map[string]any{{"id": queue.Items[0].ID, "action": "reject", "reason": reason}}}
	if status, err := h.call(h.t.Context(), "POST", "/api/v1/moderation/decisions", h.token, body, nil); status != 200 || err != nil {
		h.t.Fatalf("reject: %d %v", status, err)
	}
}

// say puts an approved comment on a page.
func (h *house) say(page, name, parent string) (id string) {
	h.t.Helper()
	var code struct{ Ticket string }
	if status, err := h.call(h.t.Context(), "POST", "/api/v1/sites/"+testSite+"/captcha", "", map[string]string{"page": page}, &code); status != 201 || err != nil {
		h.t.Fatal(status, err)
	}
	digits, err := h.solver.solve(code.Ticket)
	if err != nil {
		h.t.Fatal(err)
	}
	var answer struct{ Comment struct{ ID string } }
	if status, err := h.call(h.t.Context(), "POST", "/api/v1/sites/"+testSite+"/comments", "", map[string]string{
		"page": page, "name": name, "title": "Thư của " + name, "content": "Đoạn từ cầu đến bến đò không có chỗ ngồi nào.", "parent": parent,
		"ticket": code.Ticket, "code": digits,
	}, &answer); status != 201 || err != nil {
		h.t.Fatal(status, err)
	}
	h.decideOn(answer.Comment.ID, "approve")
	return answer.Comment.ID
}
