package web

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"duyet/comments"
)

// image answers GET /captcha/{ticket}.png.
func (d *Door) image(w http.ResponseWriter, r *http.Request) error {
	t, err := d.svc.OpenTicket(r.Context(), mux.Vars(r)["ticket"], comments.MeterImage, d.cfg.ClientIP(r))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := d.cfg.Picture.Draw(r.Context(), &b, t); err != nil {
		return err
	}
	h := w.Header()
	secretFile(h)
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
	return nil
}

// sound answers GET /captcha/{ticket}.wav. Content-Language says what is truly spoken,
// which is not what was asked for when there are no recordings of that. Ranges are
// answered, without which Safari plays nothing.
func (d *Door) sound(w http.ResponseWriter, r *http.Request) error {
	t, err := d.svc.OpenTicket(r.Context(), mux.Vars(r)["ticket"], comments.MeterSound, d.cfg.ClientIP(r))
	if err != nil {
		return err
	}
	lang := r.URL.Query().Get("lang")
	if lang == "" {
		site, err := d.svc.Site(r.Context(), t.Site)
		if err != nil {
			return err
		}
		lang = fixedLang("", site)
	}
	wav, spoken, err := d.cfg.Sound.Speak(r.Context(), t, lang)
	if err != nil {
		return err
	}
	h := w.Header()
	secretFile(h)
	h.Set("Content-Type", "audio/wav")
	h.Set("Content-Language", spoken)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(wav))
	return nil
}

// secretFile sets the headers of what is one reader's and may stand in any page.
func secretFile(h http.Header) {
	h["Access-Control-Allow-Origin"] = everyone
	h.Set("Cache-Control", noStore)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; media-src 'self'; frame-ancestors 'none'")
}
