package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"duyet/comments"
	"duyet/moderation"
)

// ringing is an alarm that tells of what stands in the store.
type ringing struct{ *house }

func (r ringing) Going(ctx context.Context, site comments.Site) []moderation.Attack {
	if site.Settings.AttackMode == comments.AttackOn {
		return []moderation.Attack{{Site: site.ID, Why: moderation.AttackBySetting}}
	}
	list, err := r.svc.Attacks(ctx, moderation.Moderator{Role: moderation.Viewer}, site.ID)
	r.must(err)
	return list
}

func TestAttackAtTheDesk(t *testing.T) {
	h := screened(t)
	h.people()
	b := h.signedIn("editor@bao.example")
	h.must(b.get("/moderation/attack?site=bao").says("Đang yên ắng", "Bật chế độ chống tấn công"))
	send := func(do, page string) answer {
		return b.post("/moderation/attack", url.Values{"site": {"bao"}, "do": {do}, "page": {page}})
	}
	if a := send("begin", "https://la.example/x"); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.Body.String(), `value="https://la.example/x"`) {
		t.Errorf("a page of somebody else: %d", a.Code)
	}
	if a := send("dance", ""); a.Code != http.StatusBadRequest {
		t.Errorf("an odd wish: %d", a.Code)
	}
	h.must(b.follow(send("begin", "https://bao.example/pho-di-bo?utm_source=x")).says("Đã bật chế độ", "bài https://bao.example/pho-di-bo", "do editor@bao.example bật"))
	h.must(b.follow(send("begin", "")).says("cả trang"))

	// Every page of the desk says so, to those whose site it is.
	const says = "Báo bao, cả trang: chế độ chống tấn công từ"
	for _, path := range []string{"/moderation/", "/moderation/audit", "/moderation/words", "/moderation/account"} {
		h.must(b.get(path).says(says, "Bài gửi phải kèm phép tính"))
	}
	if a := h.signedIn("other@bao.example").get("/moderation/"); strings.Contains(a.Body.String(), "chống tấn công từ") {
		t.Error("another site's people are told")
	}
	h.must(h.signedIn("viewer@bao.example").get("/moderation/attack?site=bao").says("cả trang", "Chỉ người duyệt bình luận mới bật"))

	h.must(b.follow(send("end", "")).says("Đã tắt chế độ"))
	h.must(b.follow(send("end", "https://bao.example/pho-di-bo")).says("Đang yên ắng"))
	if a := b.get("/moderation/"); strings.Contains(a.Body.String(), "chống tấn công từ") {
		t.Error("it is over, and still told of")
	}
	_, err := h.sites.SetSite(t.Context(), "bao", []comments.Pair{{Key: "attack_mode", Value: "on"}}, comments.ActorOperator)
	h.must(err)
	h.must(b.get("/moderation/").says("Báo bao: luôn chống tấn công"))
}

func TestAttackByAPI(t *testing.T) {
	h := screened(t)
	h.people()
	tokens := map[string]string{}
	for _, who := range visitors[1:] {
		tokens[who] = h.token(who + "@bao.example")
	}
	for _, op := range []struct {
		method, path, body string
		want               [len(visitors)]int
	}{
		{"GET", "/attacks?site=bao", "", [...]int{401, 200, 200, 200, 403}},
		{"POST", "/attacks", `{"site":"bao"}`, [...]int{401, 403, 200, 200, 403}},
		{"POST", "/attacks", `{"site":"bao","page":"https://la.example/"}`, [...]int{401, 403, 422, 422, 403}},
		{"DELETE", "/attacks?site=bao", "", [...]int{401, 403, 204, 204, 403}},
	} {
		for i, who := range visitors {
			r := httptest.NewRequest(op.method, "/api/v1/moderation"+op.path, strings.NewReader(op.body))
			r.Header.Set("Content-Type", "application/json")
			if who != "nobody" {
				r.Header.Set("Authorization", "Bearer "+tokens[who])
			}
			if a := h.browser().do(r); a.Code != op.want[i] {
				t.Errorf("%s %s by %s: %d, not %d: %s", op.method, op.path, who, a.Code, op.want[i], a.Body)
			}
		}
	}
}
