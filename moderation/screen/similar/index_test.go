package similar

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

const offer = "Chị Lan ở Hà Nội kiếm 500.000 đồng mỗi ngày nhờ việc nhẹ tại nhà, ai cần liên hệ số 0912 345 678"

func TestNearFindsEdits(t *testing.T) {
	x := New(100, 0)
	x.Add("a", offer, start)
	for name, text := range map[string]string{
		"same":        offer,
		"numbers":     strings.NewReplacer("500.000", "750.000", "0912 345 678", "0987 111 222").Replace(offer),
		"names":       strings.NewReplacer("Lan", "Hoa", "Hà Nội", "Huế").Replace(offer),
		"capitals":    strings.ToUpper(offer),
		"decomposed":  norm.NFD.String(offer),
		"bare":        "Chi Lan o Ha Noi kiem 500.000 dong moi ngay nho viec nhe tai nha, ai can lien he so 0912 345 678",
		"zero width":  strings.ReplaceAll(offer, "i", "i\u200b"),
		"signs":       strings.ReplaceAll(offer, " ", " ... "),
		"word more":   offer + " nhé cả nhà",
		"word less":   strings.Replace(offer, "mỗi ngày ", "", 1),
		"other quote": "> Ý kiến của bạn đọc khác, dài và chẳng liên quan gì đến việc này cả\n" + offer,
	} {
		got := x.Near(text)
		if len(got) != 1 || got[0].ID != "a" || got[0].Similarity < threshold || !got[0].At.Equal(start) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNearLeavesOthersAlone(t *testing.T) {
	x := New(100, 0)
	x.Add("a", offer, start)
	x.Add("b", "Con đường trước trường học cần thêm vạch sang đường cho các cháu nhỏ", start)
	for _, text := range []string{
		"Chị Lan ở Hà Nội viết rất hay, tôi đọc mãi không chán, mong có thêm bài như thế",
		"Con đường làng tôi ngày xưa rợp bóng tre, giờ đã trải nhựa phẳng lì",
		"> " + offer + "\nBạn đừng tin mấy lời mời kiểu này, tôi từng mất tiền rồi đấy",
	} {
		if got := x.Near(text); len(got) != 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestShortPhrasesAreNoCampaign(t *testing.T) {
	x := New(100, 0)
	for i, text := range []string{"Rất hay!", "Rất hay", "Cảm ơn tòa soạn", "Cảm ơn tòa soạn!", "Đồng ý", "Đúng vậy", "hay quá hay quá", "!!!!!!", "👍👍👍👍👍👍👍👍👍👍👍👍👍"} {
		if got := x.Near(text); len(got) != 0 {
			t.Errorf("%q: %v", text, got)
		}
		x.Add(fmt.Sprint(i), text, start)
	}
	if x.Len() != 0 || len(x.Campaigns(2)) != 0 {
		t.Errorf("%d kept, campaigns %v", x.Len(), x.Campaigns(2))
	}
}

func TestWindowIsBounded(t *testing.T) {
	x := New(10, time.Hour)
	for i := range 50 {
		x.Add(fmt.Sprint(i), fmt.Sprintf("%s, tin số %s", offer, strings.Repeat("x", i)), start.Add(time.Duration(i)*time.Minute))
	}
	if x.Len() != 10 {
		t.Errorf("%d texts", x.Len())
	}
	x.Add("late", "Một ý kiến khác hẳn, nói về cây xanh ở công viên", start.Add(3*time.Hour))
	if x.Len() != 1 || len(x.Near(offer)) != 0 {
		t.Errorf("%d texts after they grew old, %v", x.Len(), x.Near(offer))
	}
	x.Remove("late")
	x.Remove("late")
	if x.Len() != 0 || len(x.bands) != 0 {
		t.Errorf("%d texts, %d bands left over", x.Len(), len(x.bands))
	}
}

func TestAddAgainGivesUpTheOldText(t *testing.T) {
	x := New(3, 0)
	x.Add("a", offer, start)
	x.Add("a", "Một ý kiến khác hẳn, nói về cây xanh ở công viên", start)
	if x.Len() != 1 || len(x.Near(offer)) != 0 {
		t.Errorf("%d texts, %v", x.Len(), x.Near(offer))
	}
	x.Add("a", "ngắn", start)
	if x.Len() != 0 {
		t.Errorf("%d texts", x.Len())
	}
}

func TestCampaigns(t *testing.T) {
	x := New(100, 0)
	steps := strings.Fields("một hai ba bốn năm sáu bảy tám chín mười mươi trăm nghìn vạn triệu tỷ")
	for i := range 6 { // each step keeps most of the one before; the last shares little with the first
		x.Add(fmt.Sprintf("chain%d", i), strings.Join(steps[i:i+11], " "), start)
	}
	for i := range 3 {
		x.Add(fmt.Sprintf("offer%d", i), fmt.Sprintf("%s (tin %d)", offer, i), start)
	}
	x.Add("alone", "Con đường trước trường học cần thêm vạch sang đường cho các cháu nhỏ", start)
	x.Remove("offer1")
	got := x.Campaigns(2)
	want := [][]string{{"chain0", "chain1", "chain2", "chain3", "chain4", "chain5"}, {"offer0", "offer2"}}
	if len(got) != 2 || !slices.Equal(got[0].IDs, want[0]) || !slices.Equal(got[1].IDs, want[1]) {
		t.Errorf("%v", got)
	}
	if got := x.Campaigns(3); len(got) != 1 {
		t.Errorf("of three or more: %v", got)
	}
}

func TestSketchEstimatesJaccard(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var off, worst float64
	const rounds = 200
	for range rounds {
		a := make([]rune, 300)
		for i := range a {
			a[i] = rune('a' + rng.IntN(26))
		}
		b := slices.Clone(a)
		for range rng.IntN(40) {
			b[rng.IntN(len(b))] = rune('a' + rng.IntN(26))
		}
		sa, sb := sketchOf(a), sketchOf(b)
		d := sa.similarity(&sb) - jaccard(a, b)
		off += d / rounds
		worst = max(worst, math.Abs(d))
	}
	if math.Abs(off) > 0.02 || worst > 0.25 {
		t.Errorf("off by %.3f on average, by %.3f at worst", off, worst)
	}
}

func jaccard(a, b []rune) float64 {
	set := func(r []rune) map[string]bool {
		m := map[string]bool{}
		for i := 0; i+shingle <= len(r); i++ {
			m[string(r[i:i+shingle])] = true
		}
		return m
	}
	sa, sb := set(a), set(b)
	both := 0
	for s := range sa {
		if sb[s] {
			both++
		}
	}
	return float64(both) / float64(len(sa)+len(sb)-both)
}

func TestAtOnce(t *testing.T) {
	x := New(50, time.Hour)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				x.Add(fmt.Sprintf("%d-%d", w, i), fmt.Sprintf("%s %d", offer, w), start)
				if len(x.Near(offer)) == 0 {
					t.Error("nothing near")
				}
				if i%20 == 0 {
					x.Campaigns(2)
				}
			}
		})
	}
	wg.Wait()
	if x.Len() != 50 {
		t.Errorf("%d texts", x.Len())
	}
}

func FuzzNear(f *testing.F) {
	f.Add(offer, "khác")
	f.Add("> \xff\xfe\n"+offer, strings.Repeat("đ\u0323", 40))
	f.Fuzz(func(t *testing.T, a, b string) {
		x := New(2, 0)
		x.Add("a", a, start)
		x.Add("b", b, start)
		if got := x.Near(a); x.Len() == 2 && (len(got) == 0 || got[0].Similarity != 1) {
			t.Errorf("a text is not like itself: %v", got)
		}
		for _, m := range x.Near(b) {
			if m.Similarity < threshold || m.Similarity > 1 {
				t.Errorf("%v", m)
			}
		}
		x.Remove("a")
		x.Remove("b")
		if x.Len() != 0 || len(x.bands) != 0 {
			t.Errorf("%d texts, %d bands left over", x.Len(), len(x.bands))
		}
	})
}

// invented is a different text for each seed.
func invented(seed int) string {
	rng := rand.New(rand.NewPCG(uint64(seed), 9))
	words := strings.Fields("đường phố cây xanh trường học bệnh viện sáng chiều tối mưa nắng gió người xe đi về làm ăn chơi nói nghĩ thấy mong cần thêm bớt đèn nước sông núi biển chợ nhà cửa sách báo")
	var b strings.Builder
	for range 25 {
		b.WriteString(words[rng.IntN(len(words))] + " ")
	}
	return b.String()
}

func filled(n int) *Index {
	x := New(n, 0)
	for i := range n {
		x.Add(fmt.Sprint(i), invented(i), start)
	}
	return x
}

func BenchmarkNear(b *testing.B) {
	for _, n := range []int{1000, 20_000} {
		x := filled(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Near(offer)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	x := filled(5000)
	i := 0
	for b.Loop() {
		x.Add(fmt.Sprint("n", i), offer, start)
		i++
	}
}

func BenchmarkCampaigns(b *testing.B) {
	x := filled(5000)
	for b.Loop() {
		x.Campaigns(3)
	}
}
