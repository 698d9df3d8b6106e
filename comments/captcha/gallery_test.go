package captcha

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"duyet/comments"
)

func TestGallery(t *testing.T) {
	g, err := NewGallery(NewPainter(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	s := sealer(t, newKey)
	_, ticket, err := s.Issue("news", "a", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var first, again bytes.Buffer
	if err := g.Draw(t.Context(), &first, ticket); err != nil || first.Len() == 0 {
		t.Fatal(err)
	}
	// A kept image needs no turn.
	for range DrawnAtOnce {
		g.turns <- struct{}{}
	}
	if err := g.Draw(t.Context(), &again, ticket); err != nil || !bytes.Equal(first.Bytes(), again.Bytes()) {
		t.Errorf("shown again it is another image, or %v", err)
	}
	_, other, err := s.Issue("news", "a", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error, 1)
	go func() { waits <- g.Draw(ctx, new(bytes.Buffer), other) }()
	for len(g.queue) == 0 {
		select {
		case err := <-waits:
			t.Fatalf("a third is drawn at once: %v", err)
		default:
		}
	}
	for len(g.queue) < WaitingMost {
		g.queue <- struct{}{}
	}
	var limited *comments.LimitedError
	if err := g.Draw(t.Context(), new(bytes.Buffer), other); !errors.As(err, &limited) {
		t.Errorf("one more than may wait: %v", err)
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone waits on: %v", err)
	}
}

// TestGalleryIsBounded in bytes, however many images it draws.
func TestGalleryIsBounded(t *testing.T) {
	const most = 64 << 10
	g, err := NewGallery(NewPainter(), most)
	if err != nil {
		t.Fatal(err)
	}
	s := sealer(t, newKey)
	for range 60 {
		_, ticket, err := s.Issue("news", "a", time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Draw(t.Context(), new(bytes.Buffer), ticket); err != nil {
			t.Fatal(err)
		}
	}
	g.drawn.CleanUp()
	if n := g.drawn.WeightedSize(); n > most {
		t.Errorf("it keeps %d bytes", n)
	}
}
