package learn

import (
	"fmt"
	"math/rand/v2"
)

// corpus makes n invented comments, a third of them advertising, the same for the same seed.
func corpus(n int, seed uint64) []Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	pick := func(of []string) string { return of[rng.IntN(len(of))] }
	who := []string{"Bác tổ trưởng", "Chị hàng xóm", "Cháu nhà tôi", "Anh bảo vệ", "Cô giáo", "Mấy bạn trẻ"}
	what := []string{
		"nói đúng, con đường này cần thêm đèn", "bảo công viên dạo này sạch hơn nhiều", "mong phường sớm sửa vỉa hè",
		"thấy bài viết rất hữu ích", "hỏi xe buýt có chạy cuối tuần không", "nhớ mùa hoa sữa năm ngoái",
		"không đồng ý với cách đổ rác như vậy", "vừa kiếm được chỗ gửi xe gần chợ",
	}
	offer := []string{
		"kiếm tiền tại nhà mỗi ngày 500k", "nhận quà miễn phí hôm nay", "vay nhanh không cần thế chấp",
		"việc nhẹ lương cao cho mọi người", "tặng thẻ nạp cho 100 người đầu tiên",
	}
	call := []string{"bấm vào đây", "inbox em ngay", "xem tại qua-tang.example", "vào nhóm http://nhom.example/vay", "liên hệ zalo"}
	out := make([]Example, n)
	for i := range out {
		e := Example{ID: fmt.Sprintf("c%d", i), Positive: rng.IntN(3) == 0}
		if e.Positive {
			e.Text = fmt.Sprintf("%s, %s %d!", pick(offer), pick(call), rng.IntN(90))
		} else {
			e.Text = fmt.Sprintf("%s %s, %s.", pick(who), pick(what), pick([]string{"cảm ơn tòa soạn", "chúc cả nhà vui", "mong mọi người góp ý"}))
		}
		out[i] = e
	}
	return out
}
