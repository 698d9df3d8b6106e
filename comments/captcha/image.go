package captcha

import (
	"encoding/base64"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"sync"

	"github.com/dchest/captcha"

	"duyet/comments"
)

// Size of every image in pixels, which is also the size to show it at. Drawn larger, the
// line across the digits grows faster than they do.
const (
	ImageWidth  = 240
	ImageHeight = 80
)

// Painter draws codes as PNG images. It is safe for concurrent use.
//
// Paper is white and opaque, so that an image reads on a dark page too, and whatever is
// drawn on it has a contrast of at least 5.9:1 (WCAG 2 asks for 4.5:1). The library draws
// on nothing, in a grey of as little as 4:1 among dots that may be lighter still.
type Painter struct {
	palettes []color.Palette
	encoder  png.Encoder
}

// inkMost is the most any channel of an ink has: even (100, 100, 100) has 5.9:1 on white.
const inkMost = 100

// paletteSize is how many colours the library draws with: paper, ink and those of dots.
const paletteSize = 21

// NewPainter prepares inks and buffers.
func NewPainter() *Painter {
	inks := []color.RGBA{
		{0, 0, inkMost, 255}, {60, 0, inkMost, 255}, {inkMost, 0, 70, 255}, {inkMost, 0, 0, 255},
		{inkMost, 50, 0, 255}, {40, 60, 0, 255}, {0, 80, 20, 255}, {0, 70, 90, 255}, {40, 40, 40, 255},
	}
	p := &Painter{encoder: png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &encoderBuffers{}}}
	for first := range inks {
		palette := color.Palette{color.RGBA{255, 255, 255, 255}}
		for i := range paletteSize - 1 {
			palette = append(palette, inks[(first+i)%len(inks)])
		}
		p.palettes = append(p.palettes, palette)
	}
	return p
}

// Draw writes the image of a ticket's code. A ticket has the same image every time, as
// long as the process runs: the library keys its randomness anew at each start. The error
// is the writer's, or tells of a ticket that has no code of ours.
func (p *Painter) Draw(w io.Writer, t comments.Ticket) error {
	if err := checkDigits(t.Digits); err != nil {
		return err
	}
	m := captcha.NewImage(base64.RawStdEncoding.EncodeToString(t.ID[:]), t.Digits, ImageWidth, ImageHeight)
	fillGaps(m.Pix, m.Stride)
	m.Palette = p.palettes[int(t.ID[0])%len(p.palettes)]
	if err := p.encoder.Encode(w, m.Paletted); err != nil {
		return fmt.Errorf("captcha image: %w", err)
	}
	return nil
}

// fillGaps inks each pixel of paper that stands between two of ink, since the library
// draws its lines as dots with gaps, which are hard to read.
func fillGaps(pix []byte, stride int) {
	const paper, ink = 0, 1
	for i := stride; i < len(pix)-stride; i++ {
		if pix[i] == paper && (pix[i-1] == ink && pix[i+1] == ink || pix[i-stride] == ink && pix[i+stride] == ink) {
			pix[i] = ink
		}
	}
}

func checkDigits(digits []byte) error {
	if len(digits) != Digits {
		return fmt.Errorf("a code of %d digits, not %d", len(digits), Digits)
	}
	for _, d := range digits {
		if d > 9 {
			return fmt.Errorf("%d is no digit", d)
		}
	}
	return nil
}

// encoderBuffers lets the encoder use its compressor again, which is most of what it
// allocates. It implements png.EncoderBufferPool.
type encoderBuffers struct{ pool sync.Pool }

func (b *encoderBuffers) Get() *png.EncoderBuffer {
	buf, _ := b.pool.Get().(*png.EncoderBuffer)
	return buf
}

func (b *encoderBuffers) Put(buf *png.EncoderBuffer) { b.pool.Put(buf) }
