package captcha

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"sync"
	"testing"

	"github.com/dchest/captcha"

	"duyet/comments"
)

func draw(t testing.TB, p *Painter, ticket comments.Ticket) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Draw(&b, ticket); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// contrast is WCAG 2's contrast of a colour on white.
func contrast(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 1.05 / (0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b) + 0.05)
}

func TestImage(t *testing.T) {
	p, s := NewPainter(), sealer(t, newKey)
	inks := make(map[color.Color]bool)
	for range 60 {
		_, ticket := issue(t, s)
		m, err := png.Decode(bytes.NewReader(draw(t, p, ticket)))
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds() != image.Rect(0, 0, ImageWidth, ImageHeight) {
			t.Fatalf("size %v", m.Bounds())
		}
		paper, ink := 0, 0
		for y := range ImageHeight {
			for x := range ImageWidth {
				c := m.At(x, y)
				if _, _, _, a := c.RGBA(); a != 0xffff {
					t.Fatalf("see-through at %d, %d", x, y)
				}
				switch ratio := contrast(c); {
				case ratio == 1:
					paper++
				case ratio < 4.5:
					t.Fatalf("%v has contrast %.2f", c, ratio)
				default:
					ink++
					inks[c] = true
				}
			}
		}
		if ink < 600 || paper < ImageWidth*ImageHeight*3/4 {
			t.Errorf("%d pixels of ink on %d of paper", ink, paper)
		}
	}
	if len(inks) < 5 {
		t.Errorf("%d inks", len(inks))
	}
}

func TestEveryInkIsDark(t *testing.T) {
	for _, palette := range NewPainter().palettes {
		if len(palette) != paletteSize || contrast(palette[0]) != 1 {
			t.Errorf("palette %v", palette)
		}
		for _, ink := range palette[1:] {
			if contrast(ink) < 5.9 {
				t.Errorf("%v has contrast %.2f", ink, contrast(ink))
			}
		}
	}
	if n := len(captcha.NewImage("a", []byte{1, 2, 3, 4, 5, 6}, ImageWidth, ImageHeight).Palette); n != paletteSize {
		t.Errorf("the library draws with %d colours", n)
	}
}

func TestOneTicketOneImage(t *testing.T) {
	p, s := NewPainter(), sealer(t, newKey)
	_, a := issue(t, s)
	_, b := issue(t, s)
	b.Digits = a.Digits
	want := draw(t, p, a)
	if bytes.Equal(want, draw(t, p, b)) {
		t.Error("two tickets with one code look alike")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if !bytes.Equal(draw(t, p, a), want) {
					t.Error("one ticket has two images")
				}
			}
		})
	}
	wg.Wait()
}

func TestDrawRefuses(t *testing.T) {
	p := NewPainter()
	for _, digits := range [][]byte{nil, {1, 2, 3}, {1, 2, 3, 4, 5, 10}, {1, 2, 3, 4, 5, 6, 7}} {
		if err := p.Draw(io.Discard, comments.Ticket{Digits: digits}); err == nil {
			t.Errorf("digits %v are drawn", digits)
		}
	}
	_, ticket := issue(t, sealer(t, newKey))
	if err := p.Draw(full{}, ticket); !errors.Is(err, errFull) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// BenchmarkImage draws and encodes; BenchmarkImageLibrary is the same by the library alone.
func BenchmarkImage(b *testing.B) {
	p := NewPainter()
	_, ticket := issue(b, sealer(b, newKey))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Draw(io.Discard, ticket); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(draw(b, p, ticket))), "B/image")
}

func BenchmarkImageLibrary(b *testing.B) {
	_, ticket := issue(b, sealer(b, newKey))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := captcha.NewImage("a", ticket.Digits, ImageWidth, ImageHeight).WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
