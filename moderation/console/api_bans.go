package console

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/moderation/screen"
)

// answered is an answer with a body.
type answered[T any] struct{ Body T }

// ofSite asks about one site.
type ofSite struct {
	Site string `query:"site" required:"true"`
}

type apiBan struct {
	ID      string     `json:"id,omitempty" doc:"Empty makes a new ban"`
	Version uint64     `json:"version,omitempty" doc:"As it was read; a ban that has changed since is a conflict"`
	Site    string     `json:"site"`
	Kind    string     `json:"kind" enum:"network,author,name,email,link,text"`
	Value   string     `json:"value" doc:"An address or network, an author's key in hexadecimal, a name in which * stands for anything, a domain, or a text; a text is kept as its fingerprint"`
	Sample  string     `json:"sample,omitempty" readOnly:"true" doc:"The beginning of a banned text"`
	Effect  string     `json:"effect" enum:"hold,spam"`
	Reason  string     `json:"reason,omitempty"`
	Expires *time.Time `json:"expires,omitempty" doc:"Absent = never"`
	By      string     `json:"by,omitempty" readOnly:"true" doc:"Id of the moderator who made or last changed it"`
	At      *time.Time `json:"at,omitempty" readOnly:"true"`
}

func newBan(b screen.Ban) apiBan {
	at := b.At.UTC()
	a := apiBan{
		ID: b.ID, Version: b.Version, Site: b.Site, Kind: string(b.Kind), Value: b.Value, Sample: b.Sample,
		Effect: string(b.Effect), Reason: b.Reason, By: b.By, At: &at,
	}
	if !b.Expires.IsZero() {
		expires := b.Expires.UTC()
		a.Expires = &expires
	}
	return a
}

func (a apiBan) ban() screen.Ban {
	b := screen.Ban{Kind: screen.BanKind(a.Kind), Value: a.Value, Sample: a.Sample, Effect: screen.Effect(a.Effect), Reason: a.Reason}
	b.Site, b.ID, b.Version = a.Site, a.ID, a.Version
	if a.Expires != nil {
		b.Expires = a.Expires.UTC()
	}
	return b
}

type apiBans struct {
	Bans []apiBan `json:"bans" doc:"The latest first, those that are over too"`
}

// apiPast is what a ban or a rule would have hit in the last thirty days.
type apiPast struct {
	Looked   int              `json:"looked" doc:"Comments looked through"`
	Cut      bool             `json:"cut" doc:"There were more"`
	Hits     int              `json:"hits"`
	ByStatus map[string]int64 `json:"by_status" doc:"What has become of those hit"`
	Examples []string         `json:"examples" doc:"Ids of the newest hit"`
}

func newPast(p screen.Past) apiPast {
	a := apiPast{Looked: p.Looked, Cut: p.Cut, Hits: p.Hits, ByStatus: map[string]int64{}, Examples: []string{}}
	for _, s := range comments.Statuses {
		a.ByStatus[string(s)] = p.ByStatus.Of(s)
	}
	for _, e := range p.Examples {
		a.Examples = append(a.Examples, string(e.Comment.ID))
	}
	return a
}

// serve registers an operation that asks for In and answers Out.
func serve[In, Out any](c *Console, op huma.Operation, fn func(ctx context.Context, who caller, in *In) (Out, error)) {
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *In) (*answered[Out], error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		out, err := fn(ctx, who, in)
		if err != nil {
			return nil, err
		}
		return &answered[Out]{out}, nil
	})
}

// asked is a question with a body.
type asked[T any] struct{ Body T }

func (c *Console) registerBans() {
	bans := c.cfg.Screening.Bans
	serve(c, operation("moderation-bans", http.MethodGet, "/bans", "The bans of a site"), func(ctx context.Context, who caller, in *ofSite) (out apiBans, err error) {
		list, err := bans.All(ctx, who.who, in.Site)
		out.Bans = make([]apiBan, len(list))
		for i, b := range list {
			out.Bans[i] = newBan(b)
		}
		return out, err
	})
	op := operation("moderation-bans-put", http.MethodPost, "/bans", "Ban, or change a ban", http.StatusConflict, http.StatusNotFound, http.StatusUnprocessableEntity)
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiBan]) (apiBan, error) {
		b, err := bans.Make(ctx, who.who, in.Body.ban())
		return newBan(b), err
	})
	op = operation("moderation-bans-preview", http.MethodPost, "/bans/preview", "What a ban would have hit in the last thirty days", http.StatusUnprocessableEntity)
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiBan]) (apiPast, error) {
		p, err := bans.WouldHave(ctx, who.who, in.Body.ban())
		return newPast(p), err
	})
	op = operation("moderation-bans-lift", http.MethodDelete, "/bans/{site}/{id}", "Lift a ban", http.StatusConflict, http.StatusNotFound)
	serve(c, op, func(ctx context.Context, who caller, in *struct {
		Site    string `path:"site"`
		ID      string `path:"id"`
		Version uint64 `query:"version" required:"true"`
		Bring   bool   `query:"bring_back" doc:"Bring what it alone laid with the spam in the last thirty days, and nobody has looked at since, back to the queue"`
	}) (out struct {
		Brought int `json:"brought_back"`
	}, err error) {
		out.Brought, err = bans.Lift(ctx, who.who, in.Site, in.ID, in.Version, in.Bring)
		return out, err
	})
}
