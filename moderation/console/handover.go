package console

import (
	"net/http"
	"strconv"
	"time"

	"duyet/moderation"
)

// handOver is the note of a site for whoever comes next, beside the queues.
type handOver struct {
	Text    string
	Who     string
	At      time.Time
	Version uint64
	May     bool // write one
}

func (c *Console) handOver(r *http.Request, v *visit, site string) (handOver, error) {
	n, err := c.cfg.Service.HandOver(r.Context(), v.who, site)
	h := handOver{Text: n.Text, At: n.At, Version: n.Version, May: v.who.May(moderation.Decide, site)}
	if n.By != "" {
		h.Who = v.actor(n.By)
	}
	return h, err
}

// writeHandOver answers POST /moderation/handover.
func (c *Console) writeHandOver(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, 16*moderation.HandOverBytes); err != nil {
		return err
	}
	q := r.PostForm
	p, err := placeFrom(q)
	if err != nil {
		return err
	}
	seen, err := sequence(q.Get("seen"))
	if err != nil {
		return err
	}
	if err := c.cfg.Service.WriteHandOver(r.Context(), v.who, p.Site, q.Get("handover"), seen); err != nil {
		return err
	}
	c.redirect(w, r, p.list().path(nil))
	return nil
}

// Seen is the note's version as its form sends it.
func (h handOver) Seen() string { return strconv.FormatUint(h.Version, 10) }
