package demo

import "time"

// Article is one piece of the demo's newspaper. Everything in it is invented.
type Article struct {
	Slug       string // its path below the site's root: "pho-di-bo", "en/tea-hill-class"
	Lang       string
	Title      string
	Lede       string
	Paragraphs []string
	Image      string        // asset name of its picture, "" = none
	ImageAlt   string        // what the picture shows
	Caption    string        // under the picture or the video
	Video      bool          // whether it is the video page
	Transcript []Line        // of the video
	Age        time.Duration // before the demo's start
}

// Line is one sentence of a transcript and when it is said.
type Line struct {
	At   string // "0:02"
	Text string
}

func articles() []Article { return append(vietnamese(), english()...) }

func vietnamese() []Article {
	return []Article{{
		Slug: "pho-di-bo-ven-song", Lang: "vi", Age: 26 * time.Hour,
		Title: "Phố đi bộ ven sông mở thêm hai tối mỗi tuần",
		Lede:  "Từ tháng 12, phố đi bộ dọc bờ kè Bến Thượng hoạt động cả tối thứ năm và chủ nhật. Ban quản lý cho biết sẽ thử trong ba tháng rồi mới quyết định lâu dài.",
		Paragraphs: []string{
			"Theo phương án vừa công bố, đoạn phố dài 600 m được cấm xe từ 18 giờ đến 22 giờ 30. Các hộ kinh doanh đăng ký chỗ bán tại phường, mỗi hộ một quầy, cam kết tự dọn trước 23 giờ.",
			"Bãi gửi xe tạm đặt ở sân nhà văn hóa, giá niêm yết ngay cổng. Phường đang xin mượn thêm sân trường tiểu học cho tối chủ nhật, khi khách thường đông gấp đôi ngày thường.",
			"Bà Lý Thu Cúc, tổ trưởng tổ dân phố số 4, nói bà con mong nhất là giữ được lối đi cho người già và chỗ quay đầu cho xe cứu thương. Ban quản lý hẹn trả lời các ý kiến tại buổi họp tối thứ tư tuần tới.",
		},
		Image: "demo/embankment.svg", ImageAlt: "Tranh vẽ bờ kè lúc chập tối: một dãy đèn lồng, con sông và cây cầu nhỏ.",
		Caption: "Bờ kè Bến Thượng lúc lên đèn. Tranh: Bến Thượng",
	}, {
		Slug: "video-ben-do-som-mai", Lang: "vi", Age: 20 * time.Hour, Video: true,
		Title: "Video: Sớm mai trên bến đò",
		Lede:  "Chuyến đò đầu tiên rời bến lúc 5 giờ 20, chở rau, chở xe đạp và chở cả những câu chuyện chưa kịp kể hôm qua.",
		Paragraphs: []string{
			"Đoạn phim ngắn không có tiếng. Lời kể ở dưới, để ai không xem được phim vẫn đi trọn chuyến đò.",
		},
		Caption: "Phim vẽ: Bến Thượng. Không có âm thanh.",
		Transcript: []Line{
			{"0:00", "Trời chưa sáng hẳn. Mặt sông phẳng, bờ bên kia mới chỉ là một vệt đồi xanh."},
			{"0:02", "Con đò nhỏ rời bến từ bên trái khung hình, cột buồm dựng, mũi rẽ một vệt nước dài."},
			{"0:04", "Mặt trời nhô khỏi đồi, nước sông chuyển từ xám sang vàng."},
			{"0:06", "Đò qua giữa dòng. Bến sau lưng đã có người đứng chờ chuyến thứ hai."},
		},
	}, {
		Slug: "xe-buyt-so-7", Lang: "vi", Age: 9 * time.Hour,
		Title: "Xe buýt số 7 đổi lộ trình từ đầu tháng 12",
		Lede:  "Tuyến số 7 sẽ đi vòng qua bệnh viện mới và bỏ hai trạm ở phố Hàng Chiếu. Giá vé giữ nguyên đến hết Tết.",
		Paragraphs: []string{
			"Xe chạy từ 5 giờ đến 21 giờ, giờ cao điểm cứ 12 phút một chuyến. Hai trạm bị bỏ cách trạm thay thế chừng 250 m; đơn vị vận hành hứa đặt biển chỉ đường và ghế chờ có mái trước ngày đổi.",
			"Người trên 60 tuổi và học sinh vẫn đi nửa giá. Vé tháng đã mua dùng bình thường, không phải đổi.",
		},
		Image: "demo/bus.svg", ImageAlt: "Tranh vẽ một chiếc xe buýt số 7 đỗ ở trạm có mái che.",
		Caption: "Trạm mới trước cổng bệnh viện. Tranh: Bến Thượng",
	}, {
		Slug: "lop-hoc-doi-che", Lang: "vi", Age: 3 * time.Hour,
		Title: "Lớp học xóa mù chữ trên đồi chè",
		Lede:  "Bảy giờ tối, khi mẻ chè cuối đã ráo, mười bốn học viên lại thắp đèn học chữ. Người lớn tuổi nhất năm nay 71.",
		Paragraphs: []string{
			"Lớp do cô giáo về hưu Hà Thị Mây mở từ mùa xuân. Bàn ghế mượn của nhà máy chè, sách do thư viện phường góp. Cô bảo bài khó nhất không phải là vần, mà là thuyết phục mọi người rằng mình chưa muộn.",
			"Hôm kết thúc học kỳ đầu, cả lớp cùng viết một lá thư gửi con cháu đi làm xa. Có lá chỉ ba dòng, nhưng là ba dòng tự tay viết.",
		},
		Image: "demo/tea-hill.svg", ImageAlt: "Tranh vẽ một ngôi nhà nhỏ sáng đèn giữa những luống chè trên đồi.",
		Caption: "Lớp học sáng đèn giữa đồi chè. Tranh: Bến Thượng",
	}}
}

func english() []Article {
	return []Article{{
		Slug: "en/riverside-evenings", Lang: "en", Age: 25 * time.Hour,
		Title: "Riverside walking street gains two more evenings a week",
		Lede:  "From December the walking street on the embankment will also open on Thursday and Sunday evenings, on trial for three months.",
		Paragraphs: []string{
			"The 600-metre stretch will be closed to traffic from 6 pm to 10.30 pm. Stallholders register with the ward, one stall a household, and promise to clear up by eleven.",
			"Visitors can leave motorbikes in the yard of the culture house. The ward has asked the primary school for its yard on Sundays, when crowds are usually twice as large.",
		},
		Image: "demo/embankment.svg", ImageAlt: "Drawing of the embankment at dusk: a row of lanterns, the river and a small bridge.",
		Caption: "The embankment when the lanterns come on. Drawing: Bến Thượng",
	}, {
		Slug: "en/tea-hill-class", Lang: "en", Age: 2 * time.Hour,
		Title: "An evening class on the tea hill",
		Lede:  "At seven, when the last leaves have dried, fourteen learners light their lamps again. The oldest turned 71 this year.",
		Paragraphs: []string{
			"Retired teacher Hà Thị Mây opened the class in spring, with desks lent by the tea factory and books from the ward’s library. The hardest lesson, she says, is not the spelling: it is to believe that it isn’t too late.",
			"At the end of the first term everybody wrote a letter to family working far away. Some were three lines long, but they were three lines in their own hand.",
		},
		Image: "demo/tea-hill.svg", ImageAlt: "Drawing of a small lit house among rows of tea on a hill.",
		Caption: "The class among the tea rows. Drawing: Bến Thượng",
	}}
}
