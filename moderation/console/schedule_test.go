package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"duyet/comments"
)

func TestScheduleAtTheDesk(t *testing.T) {
	h, an := newDesk(t)
	c := h.comment("bao", nil)
	at := "/moderation/comments/" + string(c.ID)
	form := url.Values{"version": {"1"}, "at": {"2027-01-01T08:00"}, "back": {"/moderation/?site=bao"}}
	h.must(an.follow(an.post(at+"/schedule", form)).says("Đã hẹn giờ đăng", "hẹn đăng 08:00, 1/1/2027"))
	h.must(an.get(at).says("Sẽ đăng lúc 08:00, 1/1/2027, do an@bao.example hẹn", "Bỏ hẹn", "Chờ duyệt"))
	h.must(an.get(at+"?lang=en").says("To appear on 1 January 2027, 08:00", "set by an@bao.example"))
	h.must(an.get("/moderation/audit?site=bao&lang=vi").says("hẹn giờ đăng"))

	bad := url.Values{"version": {"1"}, "at": {"2020-01-01T08:00"}}
	if a := an.post(at+"/schedule", bad); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("the past: %d", a.Code)
	} else {
		h.must(a.says("Xin chọn một lúc sau bây giờ"))
	}
	// The words change: what was seen is not what would appear.
	h.must(an.follow(an.post(at+"/edit", url.Values{"version": {"1"}, "name": {"Hạnh"}, "title": {"Khác"}, "content": {"Lời khác."}})).says("Đã lưu bản sửa", "sẽ không tự đăng"))
	if a := an.post(at+"/schedule", form); a.Code != http.StatusConflict {
		t.Errorf("an old version: %d", a.Code)
	}
	h.must(an.follow(an.post(at+"/schedule", url.Values{"version": {"2"}, "do": {"clear"}})).says("Đã bỏ hẹn"))
}

func TestJudgeByAPI(t *testing.T) {
	h, token := newAPI(t)
	c := h.comment("bao", func(c *comments.Comment) { c.Content = "Gọi 0912 000 000 nhé." })
	at := api + "/comments/" + string(c.ID)
	part := func(answer map[string]any) map[string]any { m, _ := answer["comment"].(map[string]any); return m }
	if got := part(h.json(h.call("POST", at+"/mask", token, `{"version":1,"texts":["0912 000 000"],"mask":"[…]"}`), http.StatusOK)); got["text"] != "Gọi […] nhé." || got["version"] != 2.0 {
		t.Errorf("masked: %v", got)
	}
	if got := part(h.json(h.call("POST", at+"/words", token, `{"version":2,"name":"Hạnh","title":"Góp ý","text":"Gọi tòa soạn."}`), http.StatusOK)); got["title"] != "Góp ý" || got["version"] != 3.0 {
		t.Errorf("corrected: %v", got)
	}
	h.json(h.call("POST", at+"/notes", token, `{"note":"đã gọi"}`), http.StatusOK)
	set := h.json(h.call("PUT", at+"/schedule", token, fmt.Sprintf(`{"version":3,"at":%q}`, h.now.AddDate(0, 0, 1).Format("2006-01-02T15:04:05Z07:00"))), http.StatusOK)
	if set["version"] != 3.0 || set["by"] == "" {
		t.Errorf("scheduled: %v", set)
	}
	if a := h.call("DELETE", at+"/schedule", token, ""); a.Code != http.StatusNoContent {
		t.Errorf("unscheduled: %d", a.Code)
	}
	// An answer approves what waits, and is one however often it is sent.
	reply := `{"version":3,"text":"Cảm ơn bạn.","once":"mot-hai-ba-bon-nam"}`
	first := part(h.json(h.call("POST", at+"/replies", token, reply), http.StatusCreated))
	if again := part(h.json(h.call("POST", at+"/replies", token, reply), http.StatusCreated)); first["id"] != again["id"] || first["parent"] != string(c.ID) {
		t.Errorf("answered: %v, %v", first, again)
	}
	if got := part(h.json(h.call("POST", at+"/pick", token, `{"version":4,"pick":true}`), http.StatusOK)); got["version"] != 5.0 {
		t.Errorf("picked: %v", got)
	}
	for path, try := range map[string]struct {
		body   string
		status int
	}{
		"/words":   {`{"version":1,"name":"x","title":"x","text":"x"}`, http.StatusConflict},
		"/mask":    {`{"version":5,"texts":["nirgends"]}`, http.StatusUnprocessableEntity},
		"/notes":   {`{"note":" "}`, http.StatusUnprocessableEntity},
		"/replies": {`{"version":5,"text":"x","once":"kurz"}`, http.StatusUnprocessableEntity},
	} {
		if a := h.call("POST", at+path, token, try.body); a.Code != try.status {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
	history := h.json(h.call("GET", at, token, ""), http.StatusOK)["history"].([]any)
	if len(history) < 6 {
		t.Errorf("history: %v", history)
	}
}
