package demo

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"duyet/comments"
	"duyet/moderation"
)

// sample is a reader's letter and what the desk made of it. Name, words and address are
// invented; the addresses are of networks set aside for examples (RFC 5737, RFC 3849).
type sample struct {
	slug    string
	ago     time.Duration // when it was written, before the demo's start
	name    string
	title   string
	content string
	addr    string
	parent  string // title of the comment it answers
	trap    string // what a robot filled into the field that no person sees

	action moderation.Action // "" = it waits
	reason string
	note   string

	likes  int
	report string // a reader's, of what is public
	appeal string // the author's, of a rejection
	edit   string // the author's new words, which wait
	pick   bool   // the newsroom chose it
	answer string // the newsroom's
}

// samples stand in the order of their writing.
func samples() []sample {
	return []sample{{
		slug: "pho-di-bo-ven-song", ago: 25 * time.Hour, addr: "203.0.113.12",
		name: "Nguyễn Thị Hạnh", title: "Mở thêm tối nhưng phải lo chỗ gửi xe trước",
		content: "Nhà tôi ở đầu ngõ 12. Tối thứ bảy nào xe cũng để kín vỉa hè, người già phải đi xuống lòng đường. Nếu mở thêm hai tối thì phường nên mượn sân trường tiểu học làm bãi gửi xe, thu phí theo giá niêm yết.\n\nPhố đi bộ mà người đi bộ không có lối thì chưa trọn.",
		action:  moderation.Approve, likes: 37,
	}, {
		slug: "pho-di-bo-ven-song", ago: 24*time.Hour + 20*time.Minute, addr: "203.0.113.77",
		name: "Trần Văn Lộc", title: "Sân trường nhận xe được", parent: "Mở thêm tối nhưng phải lo chỗ gửi xe trước",
		content: "Tôi làm bảo vệ ở trường. Sân chứa được chừng hai trăm xe máy; phường có văn bản là chúng tôi sẵn sàng.",
		action:  moderation.Approve, likes: 21, pick: true,
		answer: "Chúng tôi đã hỏi Ủy ban phường: văn bản mượn sân trường sẽ được gửi trong tuần này. Kết quả sẽ đăng dưới bài.",
	}, {
		slug: "en/riverside-evenings", ago: 24 * time.Hour, addr: "2001:db8:1:5::9",
		name: "Nguyễn Hữu Phước", title: "Lovely in the evening, hard to reach",
		content: "Bus 7 stops running at nine. If the street closes at half past ten, how do visitors without a motorbike get back to the station?",
		action:  moderation.Approve, likes: 5,
	}, {
		slug: "pho-di-bo-ven-song", ago: 23 * time.Hour, addr: "198.51.100.4",
		name: "Lê Hoàng Yến", title: "Cảm ơn chú Lộc", parent: "Sân trường nhận xe được",
		content: "Tối thứ tư tổ dân phố họp, chú ghé nói giúp bà con một tiếng ạ.",
		action:  moderation.Approve, likes: 9,
	}, {
		slug: "pho-di-bo-ven-song", ago: 22 * time.Hour, addr: "203.0.113.77",
		name: "Trần Văn Lộc", title: "Tôi sẽ có mặt", parent: "Cảm ơn chú Lộc",
		content: "Bảy rưỡi tối tôi đến, mang theo sơ đồ sân để bà con xem lối ra vào.",
		action:  moderation.Approve, likes: 4,
	}, {
		slug: "pho-di-bo-ven-song", ago: 21 * time.Hour, addr: "192.0.2.201",
		name: "Vay Nhanh 24h", title: "CẦN TIỀN GẤP???",
		content: "GIẢI NGÂN TRONG NGÀY, không thế chấp, chỉ cần căn cước. Xem https://vay-nhanh.example/dang-ky hoặc https://vay-nhanh.example/zalo, gọi 0900 000 000",
		action:  moderation.Spam,
	}, {
		slug: "video-ben-do-som-mai", ago: 18 * time.Hour, addr: "2001:db8:2:11::3",
		name: "Đặng Minh Châu", title: "Nhớ chuyến đò đi học",
		content: "Ba năm cấp ba sáng nào tôi cũng đi chuyến 5 giờ 20. Bác lái đò hồi đó không lấy tiền học sinh, chỉ dặn ngồi yên cho đò khỏi chòng chành.",
		action:  moderation.Approve, likes: 12,
	}, {
		slug: "pho-di-bo-ven-song", ago: 16 * time.Hour, addr: "203.0.113.140",
		name: "Người qua đường", title: "Toàn nói suông",
		content: "Mấy ông trên phường ngu hết rồi, chỉ giỏi bày vẽ kiếm tiền.",
		action:  moderation.Reject, reason: "insult", note: "Phần góp ý thì đăng được, nhưng xin bỏ câu xúc phạm.",
		appeal: "Tôi nóng quá nên lỡ lời, xin tòa soạn xem lại phần góp ý về tiền thuê quầy.",
	}, {
		slug: "pho-di-bo-ven-song", ago: 14 * time.Hour, addr: "198.51.100.88",
		name: "Phạm Quốc Bảo", title: "Hàng quán cần cam kết dọn rác",
		content: "Sáng chủ nhật nào bờ kè cũng đầy ly nhựa. Chủ quầy cần thùng lớn cứ gọi tổ vệ sinh, anh em đem tới tận nơi, không lấy tiền.",
		action:  moderation.Approve, likes: 14,
		edit: "Sáng chủ nhật nào bờ kè cũng đầy ly nhựa. Chủ quầy cần thùng lớn cứ gọi tổ vệ sinh, anh em đem tới tận nơi, không lấy tiền. Ai nhận làm điểm gom thì nhắn dưới đây.",
	}, {
		slug: "pho-di-bo-ven-song", ago: 10 * time.Hour, addr: "203.0.113.201",
		name: "Tám Sông", title: "Quầy số 4 bán giá gấp đôi",
		content: "Hôm khai trương quầy số 4 bán ly nước mía ba mươi nghìn, nói khách ở xa không biết giá. Ban quản lý nên bắt niêm yết.",
		action:  moderation.Approve, likes: 3, report: "Quầy số 4 là của nhà tôi, giá niêm yết mười lăm nghìn, không có chuyện đó.",
	}, {
		slug: "xe-buyt-so-7", ago: 7 * time.Hour, addr: "203.0.113.9",
		name: "Ngô Đức Thắng", title: "Giá vé nên giữ đến hết Tết",
		content: "Giữ giá là tốt. Mong biển chỉ trạm mới đặt trước ngày đổi vài hôm, như lần trước đổi xong mới treo biển thì các cụ đứng chờ nhầm cả buổi.",
		action:  moderation.Approve,
	}, {
		slug: "xe-buyt-so-7", ago: 6 * time.Hour, addr: "203.0.113.9",
		name: "Ngô Đức Thắng", title: "Giá vé nên giữ đến hết Tết",
		content: "Giữ giá là tốt. Mong biển chỉ trạm mới đặt trước ngày đổi vài hôm, như lần trước đổi xong mới treo biển thì các cụ đứng chờ nhầm cả buổi!",
		action:  moderation.Trash, note: "Gửi hai lần.",
	}, {
		slug: "lop-hoc-doi-che", ago: 150 * time.Minute, addr: "2001:db8:77::1",
		name: "Bùi Ngọc Ánh", title: "Cô giáo cũ của tôi đây rồi",
		content: "Cô Mây dạy tôi lớp một, bốn mươi năm trước. Tối mai tôi xin mang ít vở lên lớp ạ.",
		action:  moderation.Approve, likes: 8,
	}, {
		slug: "xe-buyt-so-7", ago: 100 * time.Minute, addr: "192.0.2.31",
		name: "Mặt bằng giá tốt", title: "Cho thuê mặt bằng gần trạm mới",
		content: "Cho thuê ki-ốt 12 m² ngay trạm số 7 mới, giá thương lượng. Ảnh tại https://mat-bang.example/kiot-12 , https://mat-bang.example/kiot-14 , liên hệ 0900 000 001.",
	}, {
		slug: "pho-di-bo-ven-song", ago: 70 * time.Minute, addr: "192.0.2.66",
		name: "Best Deals", title: "Great article", trap: "https://deals.example",
		content: "I really enjoyed reading this, thank you for sharing! Visit https://deals.example for more.",
	}, {
		slug: "en/riverside-evenings", ago: 45 * time.Minute, addr: "2001:db8:9:2::20",
		name: "Marta Lindqvist", title: "Please keep one lane for bicycles",
		content: "Many of us cycle home along the embankment after work. A marked lane on the river side would do.",
	}, {
		slug: "lop-hoc-doi-che", ago: 30 * time.Minute, addr: "198.51.100.150",
		name: "Hoàng Gia Huy", title: "Góp đèn cho lớp",
		content: "Cửa hàng điện nhà tôi xin góp bốn bóng đèn sạc. Lớp cần loại nào thì nhắn lại dưới đây giúp.",
	}, {
		slug: "pho-di-bo-ven-song", ago: 12 * time.Minute, addr: "203.0.113.58",
		name: "Vũ Thu Hà", title: "Xin thêm ghế đá cho người lớn tuổi",
		content: "Đoạn từ cầu đến bến đò không có chỗ ngồi nào. Mẹ tôi 78 tuổi, đi được nửa đường là phải quay về.",
	}}
}

// Newsroom is what the samples go through: the same services as everybody's words, under
// a clock that can be set.
type Newsroom struct {
	Comments   *comments.Service
	Moderation *moderation.Service
	Moderator  moderation.Moderator
	Solve      func(ticket string) (code string, err error)
	SetNow     func(time.Time)
}

// SampleViews are views that the articles begin with, by address: the older the more.
func (s *Site) SampleViews() map[string]int64 {
	views := map[string]int64{}
	for i, a := range s.articles {
		views[s.PageURL(a)] = int64(a.Age/time.Minute)*3 + int64(i*i*17)
	}
	return views
}

// Seed sends the sample comments in as readers would, each at its own time, and lets the
// moderator decide on most of them.
func (s *Site) Seed(ctx context.Context, n Newsroom) error {
	site, err := n.Comments.Site(ctx, s.id)
	if err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	sent := map[string]comments.Submitted{} // by title
	for _, one := range samples() {
		done, err := s.send(ctx, n, site, one, sent[one.parent].Comment.ID)
		if err != nil {
			return fmt.Errorf("sample %q: %w", one.title, err)
		}
		if _, taken := sent[one.title]; !taken {
			sent[one.title] = done
		}
		if err := s.decide(ctx, n, one, done.Comment.ID); err != nil {
			return fmt.Errorf("sample %q: %w", one.title, err)
		}
		if err := s.follow(ctx, n, site, one, done); err != nil {
			return fmt.Errorf("what followed sample %q: %w", one.title, err)
		}
	}
	return nil
}

func (s *Site) decide(ctx context.Context, n Newsroom, one sample, id comments.ID) error {
	if one.action == "" {
		return nil
	}
	n.SetNow(s.began.Add(-one.ago + 9*time.Minute))
	results, err := n.Moderation.Decide(ctx, n.Moderator, []moderation.Decision{{
		ID: string(id), Action: one.action, Reason: one.reason, Note: one.note,
	}})
	if err == nil {
		err = results[0].Err
	}
	return err
}

func (s *Site) send(ctx context.Context, n Newsroom, site comments.Site, one sample, parent comments.ID) (comments.Submitted, error) {
	a, ok := articleBySlug(s.articles, one.slug)
	if !ok {
		return comments.Submitted{}, fmt.Errorf("no article %q", one.slug)
	}
	addr, err := netip.ParseAddr(one.addr)
	if err != nil {
		return comments.Submitted{}, err
	}
	// A person takes a while to write.
	n.SetNow(s.began.Add(-one.ago - 2*time.Minute))
	ticket, _, err := n.Comments.IssueTicket(site, s.PageURL(a), addr)
	if err != nil {
		return comments.Submitted{}, err
	}
	code, err := n.Solve(ticket)
	if err != nil {
		return comments.Submitted{}, err
	}
	n.SetNow(s.began.Add(-one.ago))
	return n.Comments.Submit(ctx, site, comments.Submission{
		Page: s.PageURL(a), PageTitle: a.Title, Parent: string(parent), Name: one.name, Title: one.title,
		Content: one.content, Ticket: ticket, Code: code, Trap: one.trap, Lang: a.Lang, Addr: addr,
		Author: s.authorOf(one),
	})
}
