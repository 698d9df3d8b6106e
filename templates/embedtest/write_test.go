package embedtest

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const article = "https://ben.example/pho-di-bo"

const plainCSS = "body{margin:0 auto;max-width:720px;padding:0 16px}"

// oneThread is a page with one thread, which holds n comments.
func oneThread(t *testing.T, n int) (*service, *host) {
	t.Helper()
	s := newService(t)
	s.add(article, letters(n)...)
	return s, newHost(t, s, plainCSS, map[string]string{"/": "<h1>Phố đi bộ</h1>" + element(s, article, "")})
}

func fillForm(b *browser, name, title, content, code string) {
	b.t.Helper()
	b.fill("#ten", name)
	b.fill("#tieude", title)
	b.fill("#noidung", content)
	b.wait(`$('.dy-code-img img') && $('.dy-code-img img').naturalWidth === 240`)
	b.fill("#ma", code)
}

func TestACommentIsPostedInPlace(t *testing.T) {
	s, h := oneThread(t, 3)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	if n := s.requests("POST /api/v1/sites/ben/captcha"); n != 0 {
		t.Errorf("%d codes before the form was touched", n)
	}
	if n := eval[int](b, `performance.getEntriesByType('resource').filter(e => /form\./.test(e.name)).length`); n != 0 {
		t.Error("the form's script came before the form was touched")
	}
	b.quiet()
	fillForm(b, "Vũ Thu Hà", "Xin thêm ghế đá", "Đoạn từ cầu đến bến đò.\n\nKhông có <b>chỗ</b> ngồi.", "654321")
	first := b.value("[name=ticket]")
	b.click(".dy-btn-main")
	b.wait(`$('#ma-loi') && $('.dy-bad')`)
	b.wait("$('[name=ticket]').value !== '" + first + "' && $('[name=ticket]').value")
	for selector, want := range map[string]string{"#ten": "Vũ Thu Hà", "#tieude": "Xin thêm ghế đá", "#ma": ""} {
		if got := b.value(selector); got != want {
			t.Errorf("after a wrong code %s holds %q", selector, got)
		}
	}
	if got := b.text("#ma-loi"); !strings.HasPrefix(got, "Mã không khớp với ảnh.") || eval[string](b, `$('#ma').getAttribute('aria-invalid')`) != "true" {
		t.Errorf("the code's error says %q", got)
	}
	b.quiet("422") // browsers log it themselves
	b.picture("wrong-code")
	b.fill("#ma", rightCode)
	b.do(chromedp.KeyEvent("\r")) // Enter posts
	b.wait(`seen('.dy-own')`)
	if own := b.text(".dy-own"); !strings.Contains(own, "Đang chờ duyệt") || !strings.Contains(own, "chỉ mình bạn thấy") || !strings.Contains(own, "<b>chỗ</b>") || !strings.Contains(own, "K7QX-29MD") {
		t.Errorf("one's own comment: %s", own)
	}
	posts := s.posted()
	if len(posts) != 1 || posts[0]["content"] != "Đoạn từ cầu đến bến đò.\n\nKhông có <b>chỗ</b> ngồi." || posts[0]["page"] != article || posts[0]["page_title"] != "Phố đi bộ" {
		t.Errorf("posted: %v", posts)
	}
	b.picture("sent")

	b.do(chromedp.Reload())
	b.ready()
	if own := b.text(".dy-mine"); !strings.Contains(own, "Xin thêm ghế đá") {
		t.Errorf("after reloading: %q", own)
	}
	if b.value("#noidung") != "" {
		t.Error("sent words came back")
	}
	s.add(article, letter{ID: posts[0]["id"], Name: "Vũ Thu Hà", Title: "Xin thêm ghế đá", Content: "…"})
	b.do(chromedp.Reload())
	b.ready()
	if eval[bool](b, `!!$('.dy-mine')`) || eval[int](b, `$$('.dy-thread .dy-c').length`) != 4 {
		t.Error("an approved comment still waits")
	}
	b.quiet()
	b.click(".dy-write a")
	b.wait(`root().activeElement === $('#ten')`)
}

func TestWordsSurviveReloading(t *testing.T) {
	_, h := oneThread(t, 1)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.click(".dy-act[href*=parent]")
	b.wait(`seen('.dy-to')`)
	b.fill("#noidung", "Chưa gửi đâu.\nCòn viết nữa.")
	b.do(chromedp.Reload())
	b.ready()
	b.wait(`$('#noidung').value === 'Chưa gửi đâu.\nCòn viết nữa.'`)
	if to := b.text(".dy-to"); !strings.Contains(to, "Bạn đọc 1") || !strings.Contains(to, "Thư số 1") || b.value("[name=parent]") == "" {
		t.Errorf("whom it answers: %q", to)
	}
	b.click(".dy-to button")
	if b.value("[name=parent]") != "" || eval[bool](b, `!!$('.dy-to')`) {
		t.Error("the reply was not given up")
	}
	b.quiet()
}

func TestFieldsAreCheckedAtOnce(t *testing.T) {
	s, h := oneThread(t, 1)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.fill("#ten", "Hà")
	b.wait(`$('.dy-code-img img')`)
	b.click(".dy-btn-main")
	b.wait(`$('.dy-bad')`)
	if got := b.text(".dy-bad"); !strings.Contains(got, "còn 3 chỗ cần sửa") || !strings.Contains(got, "Tiêu đề: chưa điền") || !strings.Contains(got, "vẫn còn nguyên") {
		t.Errorf("summary: %q", got)
	}
	if n := s.requests("POST /api/v1/sites/ben/comments"); n != 0 {
		t.Error("it was sent all the same")
	}
	b.click(".dy-bad li a")
	b.wait(`root().activeElement === $('#tieude')`)
	b.do(chromedp.KeyEvent("Ghế đá"))
	b.wait(`!$('#tieude-loi')`)
	eval[bool](b, `(() => { const e = $('#noidung'); e.focus(); e.value = 'ệ'.repeat(5001); e.dispatchEvent(new Event('input', {bubbles: true})); return true; })()`)
	b.wait(`$('#noidung-loi')`)
	if got := b.text("#noidung-loi") + b.text("#dem"); got != "Nội dung dài quá 5.000 ký tự. Xin rút gọn.5.001/5.000 ký tự" {
		t.Errorf("too long: %q", got)
	}
	b.fill("#noidung", "Vừa đủ.")
	b.wait(`!$('#noidung-loi')`)
	b.fill("#ma", "12")
	b.click(".dy-btn-main")
	b.wait(`$('#ma-loi')`)
	if got := b.text("#ma-loi"); got != "Mã gồm sáu chữ số." {
		t.Errorf("a short code: %q", got)
	}
	b.fill("#ma", "１２３ ４５６")
	b.fill("#ten", "cấm")
	b.click(".dy-btn-main")
	b.wait(`$('#ten-loi')`) // the server's word, in the reader's language
	if b.value("#ma") == "" {
		t.Error("a slip in a field cost the code")
	}
	b.quiet("422")
}

func TestComposingIsLeftAlone(t *testing.T) {
	_, h := oneThread(t, 0)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.fill("#noidung", "a")
	b.wait(`$('#dem').textContent.startsWith('1/')`)
	eval[bool](b, `(() => { const e = $('#noidung'); e.value = 'tieengs'; e.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true})); return true; })()`)
	if got := b.text("#dem"); !strings.HasPrefix(got, "1/") {
		t.Errorf("counted while composing: %q", got)
	}
	if strings.Contains(eval[string](b, `Object.values({...sessionStorage}).join()`), "tieengs") {
		t.Error("kept while composing")
	}
	eval[bool](b, `(() => { const e = $('#noidung'); e.value = 'tiếng'; e.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true})); return true; })()`)
	b.wait(`$('#dem').textContent.startsWith('5/')`)
}

func TestACodeIsChangedBeforeItsEnd(t *testing.T) {
	s, h := oneThread(t, 0)
	s.ticketTTL = 2 * time.Second
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.fill("#ten", "Hà")
	b.wait(`$('[name=ticket]').value === 't1'`)
	b.wait(`$('[name=ticket]').value === 't2'`)
	if got := b.text("[data-dy-status]"); !strings.Contains(got, "sắp hết hạn") || b.value("#ten") != "Hà" {
		t.Errorf("%q, and the name is %q", got, b.value("#ten"))
	}
	s.mu.Lock()
	s.ticketTTL = time.Hour
	s.mu.Unlock()
	before := b.value("[name=ticket]")
	b.click(".dy-another")
	b.wait("$('[name=ticket]').value !== '" + before + "'")
	b.wait(`$('[data-dy-status]').textContent.includes('Ảnh vừa được đổi') && root().activeElement === $('#ma')`)
	b.quiet()
}

func TestTheCodeIsHeard(t *testing.T) {
	s, h := oneThread(t, 0)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.fill("#ten", "Hà")
	b.wait(`$('.dy-code-img img')`)
	b.click(".dy-sound")
	b.wait(`$('.dy-sound').textContent.trim() === 'Dừng'`)
	b.click(".dy-sound")
	b.wait(`$('.dy-sound').textContent.trim() === 'Nghe mã'`)
	b.click("#ma")
	b.do(chromedp.KeyEvent("p", chromedp.KeyModifiers(1))) // Alt
	b.wait(`$('.dy-sound').textContent.trim() === 'Dừng'`)
	if n := s.requests("GET /captcha/t1.wav"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	b.quiet()
}

func TestLimitsSayUntilWhen(t *testing.T) {
	s, h := oneThread(t, 0)
	s.limited = true
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	fillForm(b, "Hà", "Ghế đá", "Xin thêm.", rightCode)
	b.click(".dy-btn-main")
	b.wait(`$('.dy-look:not([data-dy-nudge])')`)
	if got := b.text(".dy-look:not([data-dy-nudge])"); !strings.Contains(got, "Bạn gửi tiếp được từ") || !strings.Contains(got, "vẫn còn nguyên") {
		t.Errorf("%q", got)
	}
	if b.value("#ma") != rightCode || b.value("#noidung") != "Xin thêm." {
		t.Error("words or code are gone")
	}
	b.quiet("429")
}

func TestTheServiceStopsAndComesBack(t *testing.T) {
	s, h := oneThread(t, 2)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	fillForm(b, "Hà", "Ghế đá", "Xin thêm.", rightCode)
	b.quiet()
	s.stop()
	b.click(".dy-btn-main")
	b.wait(`$('.dy-bad')`)
	if got := b.text(".dy-bad"); !strings.Contains(got, "Chưa gửi được") || b.value("#noidung") != "Xin thêm." {
		t.Errorf("%q", got)
	}
	b.click(`.dy-sort a[href*="newest"]`)
	b.wait(`$('.dy-news').textContent.includes('Chưa tải được bình luận')`)
	if eval[int](b, `$$('.dy-thread .dy-c').length`) != 2 {
		t.Error("what stood is gone")
	}
	s.start()
	b.click(".dy-btn-main")
	b.wait(`seen('.dy-own')`)
	if n := len(s.posted()); n != 1 {
		t.Errorf("%d comments", n)
	}
	b.quiet("ERR_CONNECTION")
}

func TestAReportOfManyAsksForACode(t *testing.T) {
	s, h := oneThread(t, 1)
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.click(".dy-acts [href*=report]")
	b.click(".dy-deed [value=spam]")
	b.click(".dy-deed .dy-btn-main")
	b.wait(`$('.dy-ask img') && $('.dy-ask img').naturalWidth === 240 && root().activeElement.name === 'code' && $('.dy-ask .dy-err')`)
	b.picture("report-code")
	b.do(chromedp.KeyEvent("000000"))
	before := b.value(".dy-ask [name=ticket]")
	b.click(".dy-deed .dy-btn-main")
	b.wait("$('.dy-ask [name=ticket]').value !== '" + before + "' && $('.dy-ask .dy-err') && root().activeElement.value === ''")
	b.click(".dy-ask .dy-sound")
	b.wait(`performance.getEntriesByType('resource').some(e => /[.]wav/.test(e.name))`)
	b.fill(".dy-ask input", rightCode)
	b.click(".dy-deed .dy-btn-main")
	b.wait(`seen('.dy-reported') && seen('.dy-good')`)
	if n := s.requests("POST /api/v1/sites/ben/captcha"); n != 2 {
		t.Errorf("%d codes", n)
	}
	b.quiet("422")
}

func TestAThreadThatMayBeOldSaysSo(t *testing.T) {
	s, h := oneThread(t, 1)
	s.stale = true
	b := newBrowser(t)
	b.open(h.origin + "/")
	b.ready()
	b.wait(`seen('.dy-stale')`)
	if got := b.text(".dy-stale"); !strings.HasPrefix(got, "Bình luận có thể chưa phải mới nhất") {
		t.Errorf("%q", got)
	}
	b.picture("stale")
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	b.click(`.dy-sort a[href*="newest"]`)
	b.wait(`$('.dy-sort [aria-current]').textContent === 'Mới nhất trước' && !$('.dy-stale')`)
	b.quiet()
}
