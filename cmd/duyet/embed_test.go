package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// house is the real program with a newspaper beside it.
type house struct {
	*program
	*newspaper
	token string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := new(house)
	h.newspaper = newNewspaper(t, func() string { return h.program.address })
	h.program, h.token = newProgramFor(t, h.newspaper.origin)
	return h
}

func (h *house) article(name, lang string) string {
	return h.newspaper.origin + "/" + name + "/" + lang
}

// decide decides about the one comment that waits, and returns its id.
func (h *house) decide(action string) string {
	h.t.Helper()
	var queue struct{ Items []struct{ ID string } }
	if status, err := h.call(h.t.Context(), "GET", "/api/v1/moderation/queue?status=pending&site="+testSite, h.token, nil, &queue); status != 200 || err != nil || len(queue.Items) != 1 {
		h.t.Fatalf("the queue: %d %v %v", status, queue.Items, err)
	}
	id := queue.Items[0].ID
	h.decideOn(id, action)
	return id
}

func (h *house) decideOn(id, action string) {
	h.t.Helper()
	body := map[string]any{"decisions": []map[string]any{{"id": id, "action": action}}}
	if status, err := h.call(h.t.Context(), "POST", "/api/v1/moderation/decisions", h.token, body, nil); status != 200 || err != nil {
		h.t.Fatalf("%s: %d %v", action, status, err)
	}
}

// takeDown puts a comment that was just approved into the trash.
func (h *house) takeDown(id string) {
	h.t.Helper()
	var answer struct{ Results []struct{ Status string } }
	body := map[string]any{"decisions": []map[string]any{{"id": id, "action": "trash", "version": 2}}}
	if status, err := h.call(h.t.Context(), "POST", "/api/v1/moderation/decisions", h.token, body, &answer); status != 200 || err != nil || answer.Results[0].Status != "trashed" {
		h.t.Fatalf("taken down: %d %v %v", status, answer, err)
	}
}

// write fills the form in and sends it.
func (h *house) write(r *reader, name, title, content string) {
	r.t.Helper()
	r.fill("#ten", name)
	r.fill("#tieude", title)
	r.fill("#noidung", content)
	h.code(r)
	r.click(".dy-btn-main")
}

// code types the digits of the image.
func (h *house) code(r *reader) {
	r.t.Helper()
	r.wait(`$('.dy-code-img img') && $('.dy-code-img img').naturalWidth === 240`)
	digits, err := h.solver.solve(r.value("[name=ticket]"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.fill("#ma", digits)
}

// TestEmbedded holds the element, served by the real program to a page of another origin
// under the strictest policy, to what its readers are promised.
func TestEmbedded(t *testing.T) {
	h := newHouse(t)
	browser := newBrowser(t, nil)
	t.Run("from writing to reading", func(t *testing.T) { h.writeAndRead(t, newReader(t, browser), newReader(t, browser)) })
	t.Run("words survive", func(t *testing.T) { h.wordsSurvive(t, newReader(t, browser)) })
	t.Run("one's own", func(t *testing.T) { h.own(t, newReader(t, browser), newReader(t, browser)) })
	t.Run("a report", func(t *testing.T) { h.reports(t, newReader(t, browser)) })
	t.Run("in a tree", func(t *testing.T) { h.tree(t, newReader(t, browser)) })
	t.Run("a kind word", func(t *testing.T) { h.nudged(t, newReader(t, browser)) })
	t.Run("a proof of work", func(t *testing.T) { h.work(t, newReader(t, browser)) })
	t.Run("by keyboard", func(t *testing.T) { h.byKeyboard(t, newReader(t, browser)) })
	t.Run("accessible and in its place", func(t *testing.T) { h.accessible(t, newReader(t, browser)) })
	t.Run("without scripts", func(t *testing.T) { h.withoutScripts(t) })
	t.Run("without the service", func(t *testing.T) { h.withoutService(t, newReader(t, browser)) }) // last: it is stopped
}

func (h *house) writeAndRead(t *testing.T, writer, other *reader) {
	article := h.article("bai-1", "vi")
	other.open(article)
	writer.open(article + "?utm_source=zalo")
	h.write(writer, "Vũ Thu Hà", "Xin thêm ghế đá", letter)
	writer.wait(`seen('.dy-own')`)
	if own := writer.text(".dy-own"); !strings.Contains(own, "Đang chờ duyệt") || !strings.Contains(own, "chỉ mình bạn thấy") || !strings.Contains(own, "Mẹ tôi 78 tuổi") {
		t.Errorf("one's own: %s", own)
	}
	writer.picture("own")
	writer.reload()
	writer.wait(`seen('.dy-own')`)
	if other.text(".dy-thread") != "" {
		t.Error("a pending comment is public")
	}
	h.t = t
	h.decide("approve")
	other.wait(`seen('.dy-new')`) // told by the stream
	if got := other.text(".dy-new"); got != "Xem 1 bình luận mới" {
		t.Errorf("what is new: %q", got)
	}
	other.picture("new")
	other.click(".dy-new")
	other.wait(`$$('.dy-thread .dy-c').length === 1 && root().activeElement === $('.dy-c')`)
	writer.reload()
	writer.wait(`$$('.dy-thread .dy-c').length === 1 && !$('.dy-own')`)
	if got := eval[string](writer, `document.cookie + performance.getEntriesByType('resource').map(e => new URL(e.name).host).filter(h => h !== location.host && h !== new URL(document.querySelector('script').src).host).join()`); got != "" {
		t.Errorf("a cookie or a third party: %s", got)
	}
	writer.picture("thread")
	writer.quiet()
	other.quiet()
}

func (h *house) wordsSurvive(t *testing.T, r *reader) {
	r.open(h.article("bai-2", "vi"))
	r.fill("#noidung", "Chưa gửi đâu.")
	r.fill("#ten", "Hà")
	h.code(r)
	r.reload()
	r.wait(`$('#noidung').value === 'Chưa gửi đâu.' && $('#ten').value === 'Hà'`)
	r.fill("#tieude", "Ghế đá")
	r.wait(`$('.dy-code-img img')`)
	ticket := r.value("[name=ticket]")
	r.fill("#ma", "000000")
	r.click(".dy-btn-main")
	r.wait("$('.dy-bad') && $('[name=ticket]').value && $('[name=ticket]').value !== '" + ticket + "'")
	if r.value("#noidung") != "Chưa gửi đâu." || !strings.HasPrefix(r.text("#ma-loi"), "Mã không khớp với ảnh.") {
		t.Errorf("after a wrong code: %q, %q", r.value("#noidung"), r.text("#ma-loi"))
	}
	r.picture("wrong-code")
	r.quiet("422") // browsers say so themselves
	h.code(r)
	r.click(".dy-btn-main")
	r.wait(`seen('.dy-own')`)
	h.t = t
	h.decide("trash")
	r.quiet()
}

// A reply is written below what it answers, waits there and stands there; a long tree is
// read on in its place; a comment is liked and found by its address.
func (h *house) tree(t *testing.T, r *reader) {
	h.t = t
	article := h.article("bai-5", "vi")
	top := h.say(article, "Ông Tư", "")
	h.say(article, "Bà Năm", "")
	for range 60 {
		h.say(article, "Bạn đọc", top)
	}
	r.open(article)
	r.click(".dy-act[href*=parent]")
	r.wait(`root().activeElement === $('#ten') && $('.dy-c').nextElementSibling === $('.dy-form')`)
	r.fill("#ten", "Hà")
	r.click("[name=remember]")
	r.fill("#tieude", "Đồng ý")
	r.fill("#noidung", "Tôi cũng nghĩ vậy.")
	h.code(r)
	r.picture("reply")
	r.click(".dy-btn-main")
	r.wait(`seen('.dy-own')`)
	r.reload()
	r.wait(`$('.dy-thread>li:first-child>.dy-own')`)
	r.picture("reply-own")
	h.decide("approve")
	r.reload()
	r.wait(`$('.dy-thread>li:first-child>.dy-own')`) // what is public of it stands further on
	r.click("#noidung")
	r.wait(`$('#ten').value === 'Hà' && $('[name=remember]').checked`)

	r.wait(`$$('.dy-thread>li').length === 2`)
	before := eval[int](r, `$$('.dy-replies .dy-c').length`)
	r.click(".dy-rest a")
	r.wait("$$('.dy-replies .dy-c').length > " + strconv.Itoa(before) + " && root().activeElement === $$('.dy-replies .dy-c')[" + strconv.Itoa(before) + "]")
	for eval[bool](r, `!!$('.dy-rest a')`) {
		before := eval[int](r, `$$('.dy-replies .dy-c').length`)
		r.click(".dy-rest a")
		r.wait("$$('.dy-replies .dy-c').length > " + strconv.Itoa(before))
	}
	r.wait(`!$('.dy-own') && $$('.dy-yours').length === 1 && $('.dy-yours').closest('.dy-c').querySelector('.dy-title').textContent === 'Đồng ý'`)
	r.click(`.dy-thread>li:last-child [data-dy-like]`)
	r.wait(`$('.dy-thread>li:last-child [data-dy-like]').ariaPressed === 'true' && ($('.dy-thread>li:last-child [itemprop=upvoteCount]') || {}).textContent === '1'`)
	r.click(`.dy-sort a[href*=liked]`)
	r.wait(`$('.dy-thread>li:first-child .dy-by b').textContent === 'Bà Năm' && $('[data-dy-like]').ariaPressed === 'true'`)
	r.picture("tree")
	r.click(`[data-dy-like]`)
	r.wait(`$('[data-dy-like]').ariaPressed === 'false'`)

	last := h.say(article, "Cuối cùng", top)
	at := "#bl-" + last[strings.Index(last, "~")+1:]
	eval[bool](r, `location.hash = '`+at+`', true`)
	r.wait(`$('.is-target') && '#' + $('.is-target').id === '` + at + `'`)
	r.do(chromedp.Navigate(article + "?fresh" + at))
	r.wait(`root() && $('.is-target') && '#' + $('.is-target').id === '` + at + `' && root().activeElement === $('.is-target')`)
	h.takeDown(last)
	r.do(chromedp.Navigate(article + "?gone" + at))
	r.wait(`root() && $('.dy-not-here') && root().activeElement === $('.dy-not-here') && !$('.is-target')`)
	r.picture("not-here")
	r.click(`.dy-sort a[href*=newest]`)
	r.wait(`$('.dy-sort a[href*=newest]').ariaCurrent && !$('.dy-not-here')`)
	r.quiet()
}

// A site that asks for work instead of the code gets it while the reader writes.
func (h *house) work(t *testing.T, r *reader) {
	must(t, "site", "set", testSite, "proof=work", "--data", h.data)
	defer must(t, "site", "set", testSite, "proof=code", "--data", h.data)
	r.open(h.article("bai-4", "vi"))
	r.fill("#ten", "Hà")
	r.fill("#tieude", "Máy tính hộ")
	r.fill("#noidung", "Không phải gõ mã.")
	r.wait(`$('.dy-works') && !seen('#ma') && !seen('.dy-code-img img')`)
	r.picture("work")
	r.click(".dy-btn-main")
	r.wait(`seen('.dy-own')`)
	h.t = t
	h.decide("trash")
	r.quiet()
}

func (h *house) byKeyboard(t *testing.T, r *reader) {
	r.open(h.article("bai-3", "vi"))
	eval[bool](r, `scrollTo(0, 0), true`)
	for _, step := range []struct{ id, text string }{{"ten", "Lê Hoàng Yến"}, {"tieude", "Bằng bàn phím"}, {"noidung", "Không cần chuột."}, {"ma", ""}} {
		r.tabTo(`root().activeElement && root().activeElement.id === '`+step.id+`'`, step.id)
		if step.text == "" {
			r.wait(`$('.dy-code-img img')`)
			digits, err := h.solver.solve(r.value("[name=ticket]"))
			if err != nil {
				t.Fatal(err)
			}
			step.text = digits
		}
		r.do(chromedp.KeyEvent(step.text))
	}
	r.do(chromedp.KeyEvent(kb.Enter))
	r.wait(`seen('.dy-own') && root().activeElement.matches('.dy-say')`)
	h.t = t
	h.decide("approve")
	r.quiet()
}

// tabTo presses Tab until the focus is where it should be, and sees that the focus shows.
func (r *reader) tabTo(there, what string) {
	r.t.Helper()
	for range 60 {
		r.do(chromedp.KeyEvent(kb.Tab))
		if eval[bool](r, there) {
			if !eval[bool](r, `getComputedStyle(root().activeElement).outlineStyle !== 'none'`) {
				r.t.Errorf("the focus on %s can't be seen", what)
			}
			return
		}
	}
	r.t.Fatalf("Tab never reaches %s", what)
}

func (h *house) accessible(t *testing.T, r *reader) {
	source, err := os.ReadFile(filepath.Join("testdata", "axe-4.14.1.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{320, 1280} {
		for _, lang := range []string{"vi", "en"} {
			for _, scheme := range []string{"light", "dark"} {
				what := map[int64]string{320: "phone", 1280: "desktop"}[width] + "-" + lang + "-" + scheme
				r.do(media(scheme), chromedp.EmulateViewport(width, 800))
				r.open(h.article("bai-1", lang))
				r.picture("read-" + what)
				r.click(".dy-btn-main") // nothing is filled in
				r.wait(`$('.dy-bad') && $('.dy-code-img img') && $('.dy-code-img img').complete`)
				if wide := eval[int](r, `document.documentElement.scrollWidth`); wide > int(width) {
					t.Errorf("%s: %d pixels wide", what, wide)
				}
				eval[bool](r, string(source)+";true")
				for _, found := range eval[[]string](r, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + v.help + '\n' + n.html + '\n' + n.failureSummary)))`) {
					t.Errorf("%s: %s", what, found)
				}
				r.picture("errors-" + what)
			}
		}
	}
	r.quiet()
}

func (h *house) withoutScripts(t *testing.T) {
	tab := newTab(t, newBrowser(t, map[string]any{"blink-settings": "scriptEnabled=false"}))
	do(t, tab, chromedp.Navigate(h.article("bai-1", "vi")), chromedp.WaitVisible(chromedp.CSS("duyet-comments a.inner")),
		chromedp.Click(chromedp.CSS("a.inner")), chromedp.WaitVisible(chromedp.CSS(".dy-thread")))
	if got := get(t, tab, chromedp.Text(chromedp.CSS(".dy-thread"))); !strings.Contains(got, "Mẹ tôi 78 tuổi") {
		t.Errorf("where the link leads: %s", got)
	}
}

func (h *house) withoutService(t *testing.T, r *reader) {
	h.t = t
	address := strings.TrimPrefix(h.program.address, "http://")
	r.open(h.article("bai-1", "vi"))
	r.fill("#ten", "Hà")
	r.fill("#tieude", "Gửi lúc máy chủ nghỉ")
	r.fill("#noidung", "Xin thêm.")
	h.code(r)
	r.quiet()
	if err := h.end(syscall.SIGTERM); err != nil {
		t.Errorf("with somebody listening it ended with %v", err)
	}
	r.click(".dy-btn-main")
	r.wait(`$('.dy-bad')`)
	if got := r.text(".dy-bad"); !strings.Contains(got, "Chưa gửi được") || r.value("#noidung") != "Xin thêm." {
		t.Errorf("%q", got)
	}
	r.do(chromedp.Navigate(h.article("bai-1", "vi") + "?again"))
	r.wait(`customElements.get('duyet-comments') && seen('.dy-retry') && document.querySelector('.inner').getClientRects().length > 0`)
	r.picture("down")
	h.start("--listen", address)
	r.click(".dy-retry")
	r.wait(`$$('.dy-thread .dy-c').length === 1 && $('#noidung').value === 'Xin thêm.'`)
	r.click("#ten")
	h.code(r)
	r.click(".dy-btn-main")
	r.wait(`seen('.dy-own')`)
	h.decide("approve")
	r.quiet("ERR_", "Failed to load resource", "Failed to fetch")
}
