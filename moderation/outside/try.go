package outside

import (
	"context"
	"net/netip"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/moderation/screen"
)

// Tried is how a service answered a made-up comment.
type Tried struct {
	Verdict string // "ok", "hold" or "spam"; "" = there was trouble
	Reason  string
	Trouble Trouble
	Status  int // HTTP, of TroubleStatus and TroubleRedirect
	Took    time.Duration
}

// sample is a made-up comment on a made-up page.
func (o *Outside) sample(site, lang string) comments.Comment {
	c := comments.Comment{Site: site, Page: "duyet-test", Name: "Duyet", Content: "This is a test comment from Duyet.", Lang: lang, CreatedAt: o.cfg.Now()}
	if lang == "vi" {
		c.Content = "Đây là bình luận thử của Duyệt."
	}
	return c
}

// sampleAddr is of nobody: it stands in documentation alone.
var sampleAddr = netip.MustParseAddr("192.0.2.1")

// TryAkismet asks Akismet about a made-up comment, marked as a test, whether it is switched on
// or not.
func (o *Outside) TryAkismet(ctx context.Context, who moderation.Moderator, site, lang string) (Tried, error) {
	c, err := o.toTry(ctx, who, site)
	if err != nil {
		return Tried{}, err
	}
	if c.akismet.Version == 0 {
		return Tried{Trouble: TroubleSettings}, nil
	}
	a := c.akismet
	a.record = a.rested(o.newBreaker(site, akismetID)) // one who tries needn't wait for a rest to end
	form := akismetForm(a, o.sample(site, lang), comments.Page{}, sampleAddr)
	form.Set("is_test", "1")
	return tried(func() (string, string, error) {
		s, err := o.askAkismet(ctx, a, form)
		if s.spam {
			return "spam", "", err
		}
		return "ok", "", err
	}), nil
}

// TryHook asks the hook about a made-up comment, whether it is switched on or not.
func (o *Outside) TryHook(ctx context.Context, who moderation.Moderator, site, lang string) (Tried, error) {
	c, err := o.toTry(ctx, who, site)
	if err != nil {
		return Tried{}, err
	}
	if c.hook.Version == 0 {
		return Tried{Trouble: TroubleSettings}, nil
	}
	h := c.hook
	h.record = h.rested(o.newBreaker(site, hookID))
	return tried(func() (string, string, error) {
		v, err := o.askHook(ctx, h, o.sample(site, lang))
		return v.Verdict, v.Reason, err
	}), nil
}

func (o *Outside) toTry(ctx context.Context, who moderation.Moderator, site string) (*chosen, error) {
	if err := o.cfg.Allowed(ctx, who, moderation.ManageSite, site); err != nil {
		return nil, err
	}
	return o.kept.Of(ctx, site)
}

func tried(ask func() (verdict, reason string, err error)) (t Tried) {
	begun := time.Now()
	verdict, reason, err := ask()
	t.Took = time.Since(begun)
	if err != nil {
		t.Trouble, t.Status = TroubleOf(err)
		return t
	}
	t.Verdict, t.Reason = verdict, clip(comments.Clean(reason), screen.ReasonMost)
	return t
}
