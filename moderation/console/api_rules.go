package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"duyet/moderation/screen"
)

type apiRule struct {
	ID      string         `json:"id,omitempty" doc:"Empty makes a new rule"`
	Version uint64         `json:"version,omitempty" doc:"As it was read; a rule that has changed since is a conflict"`
	Site    string         `json:"site"`
	Name    string         `json:"name"`
	Off     bool           `json:"off,omitempty"`
	Order   int            `json:"order,omitempty" doc:"Its place among the rules; 0 on a new one = the last"`
	When    []apiCondition `json:"when" doc:"All of them have to hold"`
	Then    string         `json:"then" enum:"hold,spam,two"`
}

type apiCondition struct {
	Fact  string `json:"fact" doc:"What is looked at, such as links, length, hour, page, name, title, text, lang, reply, author_new, signal"`
	Is    string `json:"is" enum:"more,less,is,not,contains,begins"`
	Value string `json:"value,omitempty" doc:"A number or a text; none for what is or isn't"`
}

func newRule(r screen.Rule) apiRule {
	a := apiRule{
		ID: r.ID, Version: r.Version, Site: r.Site, Name: r.Name, Off: r.Off, Order: r.Order, Then: string(r.Then),
		When: make([]apiCondition, len(r.When)),
	}
	for i, w := range r.When {
		a.When[i] = apiCondition{string(w.Fact), string(w.Is), w.Value}
	}
	return a
}

func (a apiRule) rule() screen.Rule {
	r := screen.Rule{Name: a.Name, Off: a.Off, Order: a.Order, Then: screen.Effect(a.Then), When: make([]screen.Condition, len(a.When))}
	r.Site, r.ID, r.Version = a.Site, a.ID, a.Version
	for i, w := range a.When {
		r.When[i] = screen.Condition{Fact: screen.Fact(w.Fact), Is: screen.Op(w.Is), Value: w.Value}
	}
	return r
}

type apiRules struct {
	Rules []apiRule `json:"rules" doc:"In their order"`
}

func (c *Console) registerRules() {
	rules := c.cfg.Screening.Rules
	serve(c, operation("moderation-rules", http.MethodGet, "/rules", "The rules of a site"), func(ctx context.Context, who caller, in *ofSite) (out apiRules, err error) {
		list, err := rules.All(ctx, who.who, in.Site)
		out.Rules = make([]apiRule, len(list))
		for i, r := range list {
			out.Rules[i] = newRule(r)
		}
		return out, err
	})
	op := operation("moderation-rules-put", http.MethodPost, "/rules", "Store a rule", http.StatusConflict, http.StatusNotFound, http.StatusUnprocessableEntity)
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiRule]) (apiRule, error) {
		r, err := rules.Put(ctx, who.who, in.Body.rule())
		return newRule(r), err
	})
	op = operation("moderation-rules-simulate", http.MethodPost, "/rules/simulate", "What a rule would have done in the last thirty days, and how people decided on those comments", http.StatusUnprocessableEntity)
	serve(c, op, func(ctx context.Context, who caller, in *asked[apiRule]) (apiPast, error) {
		p, err := rules.Simulate(ctx, who.who, in.Body.rule())
		return newPast(p), err
	})
	op = operation("moderation-rules-remove", http.MethodDelete, "/rules/{site}/{id}", "Remove a rule", http.StatusConflict, http.StatusNotFound)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(c.cfg.API, op, func(ctx context.Context, in *struct {
		Site    string `path:"site"`
		ID      string `path:"id"`
		Version uint64 `query:"version" required:"true"`
	}) (*struct{}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		return nil, rules.Remove(ctx, who.who, in.Site, in.ID, in.Version)
	})
}
