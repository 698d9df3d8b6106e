package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duyet/comments"
)

func TestTrap(t *testing.T) {
	c := letter("Xin chào")
	if got := look(t, Trap(), c); got != nil {
		t.Errorf("empty: %+v", got)
	}
	for _, typed := range []string{"x", " ", "https://spam.example"} {
		c.Trap = typed
		if got := look(t, Trap(), c); len(got) != 1 || got[0].Level != comments.LevelHold || got[0].Code != "filled" {
			t.Errorf("%q: %+v", typed, got)
		}
	}
}

func TestFillTime(t *testing.T) {
	for took, want := range map[time.Duration]string{
		-time.Minute: "0", 0: "0", time.Millisecond: "1", 1400 * time.Millisecond: "2", 2999 * time.Millisecond: "3",
		3 * time.Second: "", time.Hour: "",
	} {
		c := letter("Xin chào")
		c.Issued = c.Now.Add(-took)
		got := look(t, FillTime(), c)
		if want == "" {
			if got != nil {
				t.Errorf("%s: %+v", took, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Level != comments.LevelHold || got[0].Code != "fast" || got[0].Args["seconds"] != want {
			t.Errorf("%s: %+v", took, got)
		}
	}
	c := letter("Xin chào")
	c.Issued = time.Time{}
	if got := look(t, FillTime(), c); got != nil {
		t.Errorf("without a ticket: %+v", got)
	}
}

// matched is what a signal of some code points at in the content.
func matched(signals []comments.Signal, code, content string) (words []string) {
	for _, s := range signals {
		if s.Code == code {
			for _, p := range s.Places {
				words = append(words, content[p.Start:p.End])
			}
		}
	}
	return words
}

func TestLinks(t *testing.T) {
	for content, want := range map[string][]string{
		"Không có liên kết nào, cả http:// lẫn https:// hay www.":       nil,
		"Trang news.example và thư a@news.example":                      nil,
		"Đọc tại https://news.example/bai-1.html.":                      {"https://news.example/bai-1.html"},
		"(xem HTTP://A.VN/?q=báo, và \"https://b.vn\")":                 {"HTTP://A.VN/?q=báo", "https://b.vn"},
		"https://a.vn/ https://a.vn/…":                                  {"https://a.vn/", "https://a.vn/"},
		"https://vi.wikipedia.org/wiki/Hà_Nội\nhttps://b.vn\nhttp://c":  {"https://vi.wikipedia.org/wiki/Hà_Nội", "https://b.vn", "http://c"},
		"http://a.vn<b>http://b.vn</b>http://c.vn http://d.vn":          {"http://a.vn", "http://b.vn", "http://c.vn", "http://d.vn"},
		"ftp://a.vn, javascript:alert(1), mailto:a@b.vn, //c.vn, h://d": nil,
	} {
		code, level := "link", comments.LevelInfo
		if len(want) >= 3 {
			code, level = "many_links", comments.LevelHold
		}
		signals := look(t, Links(), letter(content))
		if got := matched(signals, code, content); !slices.Equal(got, want) || len(signals) != min(1, len(want)) {
			t.Errorf("%q: %q", content, got)
		} else if len(want) > 0 && (signals[0].Level != level || signals[0].Args["count"] != fmt.Sprint(len(want))) {
			t.Errorf("%q: %+v", content, signals[0])
		}
	}
	c := letter("http://a.vn")
	c.Comment.Name, c.Comment.Title = "http://b.vn", "http://c.vn"
	if got := look(t, Links(), c); len(got) != 1 || got[0].Code != "many_links" || got[0].Places[0].Field != "name" {
		t.Errorf("over all fields: %+v", got)
	}
	c = letter(strings.Repeat("http://a.vn ", 4000))
	if got := look(t, Links(), c); len(got) != 1 || got[0].Args["count"] != "4000" || len(got[0].Places) != placesMost {
		t.Errorf("4000 links: %d places, %v", len(got[0].Places), got[0].Args)
	}
}

func TestShouting(t *testing.T) {
	for content, shouted := range map[string]bool{
		"ĐỀ NGHỊ CÁC CƠ QUAN CHỨC NĂNG VÀO CUỘC XỬ LÝ NGHIÊM, KHÔNG BAO CHE!": true,
		"THIS IS AN OUTRAGE AND SOMEBODY SHOULD DO SOMETHING ABOUT IT NOW":    true,
		"ĐỀ NGHỊ CÁC CƠ QUAN CHỨC NĂNG VÀO CUỘC XỬ LÝ NGHIÊM nhé, KHÔNG BAO":  false,
		"Đề nghị các cơ quan chức năng vào cuộc xử lý nghiêm, không bao che.": false,
		"RẤT HAY!": false, // short
		"UBND TP.HCM, Bộ GD-ĐT và VKSND tối cao cần vào cuộc": false,
		strings.Repeat("0123456789 ", 20):                     false,
		strings.Repeat("漢字", 40):                              false, // no case
	} {
		got := look(t, Shouting(), letter(content))
		if (len(got) == 1) != shouted || shouted && (got[0].Level != comments.LevelInfo || got[0].Places[0].End != len(content)) {
			t.Errorf("%q: %+v", content, got)
		}
	}
	c := letter("Bài hay.")
	c.Comment.Title = "Ý KIẾN CỦA MỘT BẠN ĐỌC Ở THÀNH PHỐ HỒ CHÍ MINH VỀ GIAO THÔNG"
	if got := look(t, Shouting(), c); got != nil {
		t.Errorf("a title: %+v", got)
	}
}

func TestPhones(t *testing.T) {
	for content, want := range map[string][]string{
		"Liên hệ 0912345678 gặp Lan":                     {"0912345678"},
		"LH: 0912.345.678, 038-123-4567":                 {"0912.345.678", "038-123-4567"},
		"09 12 34 56 78 hoặc +84 912 345 678.":           {"09 12 34 56 78", "+84 912 345 678"},
		"(+84)912345678":                                 nil, // a spelling left to a later check
		"84912345678; +84(0)912345678, +84 (0)912345678": {"84912345678", "+84(0)912345678", "+84 (0)912345678"},
		"Tổng đài 024 3825 5555 và (028) 3829 5555":      {"024 3825 5555", "(028) 3829 5555"},
		"ĐT:0912345678.":                                 {"0912345678"},
		"0912345678/0987654321":                          {"0912345678", "0987654321"},
		"0912345678 0987654321":                          {"0912345678", "0987654321"},
		"Zalo 0912345678, giá 500.000 đồng":              {"0912345678"},
		"Tài khoản 190345678901234":                      nil,
		"Số thẻ 0912345678901":                           nil,
		"CCCD 001203004567":                              nil,
		"Ngày 03.05.2023 10 giờ 30":                      nil,
		"ngày 09-12-2024 15:30 đến 08 03 2025 22 giờ":    nil,
		"từ năm 1900 - 1975, 2010-2020":                  nil,
		"1.034.567.890.123 đồng, 84.500.000.000 đồng":    nil,
		"0,912345678 và 1.0912345678":                    nil,
		"tỉ số 0-0, 3-2; 0912 người":                     nil,
		"xem https://news.example/bai-0912345678.htm":    nil,
		"mã vận đơn 0612345678":                          nil,
	} {
		if got := matched(look(t, Contacts(), letter(content)), "phone", content); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}

func TestEmails(t *testing.T) {
	for content, want := range map[string][]string{
		"Gửi về toasoan@news.example.":                        {"toasoan@news.example"},
		"Nguyen.Van-An+bao@mail.news.com.vn, hoặc a1@b-c.vn!": {"Nguyen.Van-An+bao@mail.news.com.vn", "a1@b-c.vn"},
		"@Lan nói đúng, @ và a@b, 5@5.5":                      nil,
		"giá 100k@kg, gặp nhau @Hà Nội":                       nil,
		"https://news.example/?to=a@b.vn":                     nil,
	} {
		signals := look(t, Contacts(), letter(content))
		if got := matched(signals, "email", content); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
		for _, s := range signals {
			if s.Level != comments.LevelInfo {
				t.Errorf("%q: %+v", content, s)
			}
		}
	}
}

// codes are those of what a check finds in a content.
func codes(t *testing.T, check Check, content string) (all []string) {
	t.Helper()
	for _, s := range look(t, check, letter(content)) {
		all = append(all, s.Code)
	}
	slices.Sort(all)
	return all
}

func TestLinksThatHide(t *testing.T) {
	for content, want := range map[string]string{
		"Xem ở https://bit.ly/3abc":               "link short_link",
		"xem tinyurl.com/vay ngay":                "link short_link",
		"https://vіetcombank.com.vn/login":        "link lookalike_link", // Cyrillic і
		"https://xn--vetcombank-c8h.com/":         "link lookalike_link",
		"https://admin@evil.example/x":            "link userinfo_link",
		"Đọc thêm ở vnexpress.net":                "link",
		"www.tòasoạn.vn rất hay":                  "link",
		"https://báo.vn/bài":                      "link",
		"https://яндекс.рф/":                      "link", // Russian throughout, and no look-alike
		"ăn mặc com-lê, v.v. rồi về":              "",
		"Node.js, 3.500.000đ, tp.HCM":             "",
		"Tôi đồng ý.Cảm ơn tác giả.Tuy nhiên":     "",
		"gửi thư tới ban.doc@bao.vn giúp tôi":     "",
		"chuyển sang chương 2.top đầu là đội nào": "",
	} {
		if got := strings.Join(codes(t, Links(), content), " "); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}

func TestPersonal(t *testing.T) {
	for content, want := range map[string]string{
		"CCCD của nó là 079088001234":                      "citizen_id",
		"số 001 199 012345 là của tôi":                     "citizen_id",
		"CMND: 012345678":                                  "citizen_id",
		"Ủng hộ qua STK 0071000123456 Vietcombank":         "bank_account",
		"Số tài khoản: 1903 4567 8901 23":                  "bank_account",
		"MB Bank 0912345678 chị Lan":                       "bank_account",
		"Nó ở số nhà 12 ngõ 34 phố Huế, quận Hai Bà Trưng": "address",
		"45/2 đường Lê Lợi, phường Bến Nghé, quận 1":       "address",
		"123 Street Nguyen Hue, Ward 1":                    "address",
		"Có 15 đường bay mới và 20 phố đi bộ":              "",
		"mở rộng 2 đường Trường Chinh và Cộng Hòa":         "",
		"ngân sách 120.000.000.000 đồng, tăng 1.234.567":   "",
		"năm 2019 2020 2021 2022 đều vậy":                  "",
		"Gọi 0912345678 để biết":                           "",
		"mã vận đơn 998877665544":                          "",
		"15 tháng 3 năm 2026, 250 người ở xã này":          "",
	} {
		if got := strings.Join(codes(t, Personal(), content), " "); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	for content, want := range map[string]string{
		strings.Repeat("😡", 20):                                    "emoji",
		"Hay quá " + strings.Repeat("👍", 3):                        "",
		strings.Repeat("tôi thấy việc này không ổn chút nào ", 60): "wall",
		strings.Repeat("Tôi thấy việc này không ổn. ", 80):         "",
		"Hayyyyyyyyyyyyy quá":                                      "stretched",
		"Hay quá!!!!!!!!!!!!":                                      "stretched",
		"Ừ thì... hayy quá đi!!!":                                  "",
		"Очень хорошая статья, спасибо вам большое":                "script",
		"这篇文章写得非常好我非常喜欢谢谢作者":                                       "script",
		"Cám ơn Путин và 習近平":                                      "",
		"đọc ngược \u202eoàhc nix\u202c đi":                        "bidi",
		"t\u0323\u0301o\u0323\u0301i\u0323\u0301 m\u0323\u0301 x":  "zalgo",
		"đ\u200bị\u200bt m\u200bẹ mày nhé":                         "hidden",
		"Gia đình 👨‍👩‍👧‍👦 tôi rất vui ❤️":                          "",
		strings.Repeat("Nguyễn Thị Mỹ Duyên ", 10):                 "",
	} {
		if got := strings.Join(codes(t, Shape(), content), " "); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}
