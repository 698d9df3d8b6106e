package captcha

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/maypok86/otter/v2"

	"duyet/comments"
)

// Bounds of a Gallery.
const (
	DrawnAtOnce  = 2
	WaitingMost  = 200      // for their turn to be drawn; at a millisecond each nobody waits long
	GalleryBytes = 16 << 20 // some 3,000 images
)

// Gallery draws codes, at most a few at once, and keeps those it has drawn: a flood of
// requests for images leaves the processors to whoever reads and writes, and an image that
// is shown again is not drawn again. It is safe for concurrent use.
type Gallery struct {
	painter *Painter
	drawn   *otter.Cache[comments.TicketID, []byte]
	turns   chan struct{} // to draw
	queue   chan struct{} // to wait for a turn
}

// NewGallery makes a Gallery that keeps at most most bytes of images.
func NewGallery(p *Painter, most int) (*Gallery, error) {
	drawn, err := otter.New(&otter.Options[comments.TicketID, []byte]{
		MaximumWeight: uint64(most),
		Weigher:       func(_ comments.TicketID, image []byte) uint32 { return uint32(len(image)) + 100 },
	})
	if err != nil {
		return nil, err
	}
	return &Gallery{painter: p, drawn: drawn, turns: make(chan struct{}, DrawnAtOnce), queue: make(chan struct{}, WaitingMost)}, nil
}

// Draw writes the image of a ticket's code. Errors beside those of Painter.Draw: a
// *comments.LimitedError when too many wait already, the context's.
func (g *Gallery) Draw(ctx context.Context, w io.Writer, t comments.Ticket) error {
	if image, ok := g.drawn.GetIfPresent(t.ID); ok {
		_, err := w.Write(image)
		return err
	}
	leave, err := turn(ctx, g.queue, g.turns)
	if err != nil {
		return err
	}
	defer leave()
	if image, ok := g.drawn.GetIfPresent(t.ID); ok { // while it waited
		_, err := w.Write(image)
		return err
	}
	var b bytes.Buffer
	if err := g.painter.Draw(&b, t); err != nil {
		return err
	}
	g.drawn.Set(t.ID, b.Bytes())
	_, err = w.Write(b.Bytes())
	return err
}

// Choir speaks codes, at most a few at once. It is safe for concurrent use.
type Choir struct {
	speaker      *Speaker
	turns, queue chan struct{}
}

// NewChoir makes a Choir.
func NewChoir(s *Speaker) *Choir {
	return &Choir{speaker: s, turns: make(chan struct{}, DrawnAtOnce), queue: make(chan struct{}, WaitingMost)}
}

// Speak is a ticket's code as a sound. Errors beside those of Speaker.Speak: a
// *comments.LimitedError when too many wait already, the context's.
func (c *Choir) Speak(ctx context.Context, t comments.Ticket, lang string) (wav []byte, spoken string, err error) {
	leave, err := turn(ctx, c.queue, c.turns)
	if err != nil {
		return nil, "", err
	}
	defer leave()
	return c.speaker.Speak(t, lang)
}

// Language is the one that Speak speaks when it is asked for lang.
func (c *Choir) Language(lang string) string { return c.speaker.Language(lang) }

// turn waits for a turn, in a queue that has an end.
func turn(ctx context.Context, queue, turns chan struct{}) (leave func(), err error) {
	select {
	case queue <- struct{}{}:
	default:
		return nil, &comments.LimitedError{RetryAfter: time.Second}
	}
	defer func() { <-queue }()
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
