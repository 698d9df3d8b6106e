package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"duyet/comments"
	"duyet/moderation/screen"
	"duyet/templates"
)

const (
	rulesPath = "/moderation/rules"
	rulePath  = rulesPath + "/rule"
)

// rulesPage is the rules of a site in their order.
type rulesPage struct {
	screeningFrame
	Rows   []ruleRow
	NewURL string
}

type ruleRow struct {
	ID, Name    string
	When        []string // conditions in words
	Then, State string
	By, At, ISO string
	URL         string
	First, Last bool
}

func (c *Console) showRules(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, site, err := c.screening(r, v, r.URL.Query().Get("site"), rulesPath)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	list, err := c.cfg.Screening.Rules.All(r.Context(), v.who, site.ID)
	if err != nil {
		return err
	}
	d := rulesPage{screeningFrame: f, NewURL: c.set.URL(screeningAt(rulePath, site.ID))}
	for i, rule := range list {
		row := ruleRow{
			ID: rule.ID, Name: rule.Name, Then: v.l.Say("rule.then." + string(rule.Then)), State: v.l.Say("list.on"),
			By: v.actor(rule.By), At: v.l.Time(rule.At), ISO: v.l.ISO(rule.At),
			URL: c.set.URL(screeningAt(rulePath, site.ID, "rule", rule.ID)), First: i == 0, Last: i == len(list)-1,
		}
		if rule.Off {
			row.State = v.l.Say("list.off")
		}
		for _, when := range rule.When {
			row.When = append(row.When, v.condition(when))
		}
		d.Rows = append(d.Rows, row)
	}
	return c.screeningPage(w, v, http.StatusOK, "rules", "rule.title", d)
}

// condition is one in words: "links: more than 1".
func (v *visit) condition(w screen.Condition) string {
	fact := v.l.Say("rule.fact." + string(w.Fact))
	known := slices.IndexFunc(screen.Facts(), func(f screen.FactOps) bool { return f.Fact == w.Fact })
	if known >= 0 && !screen.Facts()[known].Value {
		return fact + ": " + v.l.Say("rule.flag."+string(w.Is))
	}
	return fact + ": " + v.l.Say("rule.op."+string(w.Is)) + " " + w.Value
}

// moveRule moves a rule one place up or down.
func (c *Console) moveRule(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, bodyMost); err != nil {
		return err
	}
	form := r.PostForm
	by, ok := map[string]int{"up": -1, "down": 1}[form.Get("do")]
	if !ok {
		return comments.ErrMalformed
	}
	if err := c.cfg.Screening.Rules.Move(r.Context(), v.who, form.Get("site"), form.Get("rule"), by); err != nil {
		return err
	}
	c.redirect(w, r, screeningAt(rulesPath, form.Get("site"), "done", "saved"))
	return nil
}

// rulePage is one rule to work on, with what is typed as it was typed.
type rulePage struct {
	screeningFrame
	Rule    screen.Rule
	When    []conditionRow
	Then    []option
	ListURL string
	Past    *pastView
}

type conditionRow struct {
	Number     int
	Facts, Ops []option
	Value      string
}

// rowsLeast is how many conditions a form has room for at least; there is always one more
// than are filled in, up to the most there may be.
const rowsLeast = 3

func (c *Console) showRule(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	f, site, err := c.screening(r, v, q.Get("site"), rulesPath)
	if err != nil {
		return err
	}
	rule := screen.Rule{Then: screen.EffectHold}
	if id := q.Get("rule"); id != "" {
		if rule, err = c.cfg.Screening.Rules.Rule(r.Context(), v.who, site.ID, id); err != nil {
			return err
		}
	} else if !f.MayManage {
		return comments.ErrForbidden
	}
	return c.rulePage(w, v, http.StatusOK, rulePage{screeningFrame: f, Rule: rule})
}

func (c *Console) rulePage(w http.ResponseWriter, v *visit, status int, d rulePage) error {
	d.ListURL = c.set.URL(screeningAt(rulesPath, d.Site))
	for _, e := range []screen.Effect{screen.EffectHold, screen.EffectTwo, screen.EffectSpam} {
		d.Then = append(d.Then, option{string(e), v.l.Say("rule.then." + string(e)), v.l.Say("rule.then_help." + string(e)), e == d.Rule.Then})
	}
	rows := min(max(len(d.Rule.When)+1, rowsLeast), screen.ConditionsMost)
	for i := range rows {
		var w screen.Condition
		if i < len(d.Rule.When) {
			w = d.Rule.When[i]
		}
		d.When = append(d.When, v.conditionRow(i, w))
	}
	title := "rule.edit"
	if d.Rule.ID == "" {
		title = "rule.new"
	}
	return c.screeningPage(w, v, status, "rule", title, d)
}

func (v *visit) conditionRow(i int, w screen.Condition) conditionRow {
	row := conditionRow{Number: i + 1, Value: w.Value}
	row.Facts = []option{{"", v.l.Say("rule.no_fact"), "", w.Fact == ""}}
	for _, f := range screen.Facts() {
		row.Facts = append(row.Facts, option{string(f.Fact), v.l.Say("rule.fact." + string(f.Fact)), "", f.Fact == w.Fact})
	}
	for _, op := range screen.Ops() {
		row.Ops = append(row.Ops, option{string(op), v.l.Say("rule.op." + string(op)), "", op == w.Is})
	}
	return row
}

// workOnRule saves a rule, removes it, or tells what it would have done.
func (c *Console) workOnRule(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := readForm(w, r, bodyMost); err != nil {
		return err
	}
	form := r.PostForm
	f, site, err := c.screening(r, v, form.Get("site"), rulesPath)
	if err != nil {
		return err
	}
	version, err := sequence(form.Get("version"))
	if err != nil {
		return err
	}
	rules, ctx := c.cfg.Screening.Rules, r.Context()
	rule := screen.Rule{Name: form.Get("name"), Off: form.Get("off") != "", Then: screen.Effect(form.Get("then"))}
	rule.When = conditions(form["fact"], form["op"], form["value"])
	if id := form.Get("rule"); id != "" {
		stands, err := rules.Rule(ctx, v.who, site.ID, id)
		if err != nil {
			return err
		}
		rule.ID, rule.Order = id, stands.Order
	}
	rule.Site, rule.Version = site.ID, version
	d := rulePage{screeningFrame: f, Rule: rule}
	switch form.Get("do") {
	case "save":
		if _, err = rules.Put(ctx, v.who, rule); err == nil {
			c.redirect(w, r, screeningAt(rulesPath, site.ID, "done", "saved"))
			return nil
		}
	case "remove":
		if err = rules.Remove(ctx, v.who, site.ID, rule.ID, version); err == nil {
			c.redirect(w, r, screeningAt(rulesPath, site.ID, "done", "removed"))
			return nil
		}
	case "past":
		var past screen.Past
		if rule.Name == "" {
			rule.Name = "?" // one may ask before one names it
		}
		if past, err = rules.Simulate(ctx, v.who, rule); err == nil {
			d.Past = c.pastView(v, site, past)
			d.Past.Said = v.l.Say("rule.past."+string(rule.Then), "Looked", v.l.Number(past.Looked), "Hits", v.l.Number(past.Hits))
		}
	default:
		return comments.ErrMalformed
	}
	status := http.StatusOK
	if err != nil {
		if status, err = d.refuse(v, err); err != nil {
			return err
		}
	}
	return c.rulePage(w, v, status, d)
}

// conditions are the rows of the form that name a fact.
func conditions(facts, ops, values []string) (list []screen.Condition) {
	at := func(texts []string, i int) string {
		if i < len(texts) {
			return texts[i]
		}
		return ""
	}
	for i, fact := range facts[:min(len(facts), 2*screen.ConditionsMost)] {
		if fact != "" {
			list = append(list, screen.Condition{Fact: screen.Fact(fact), Is: screen.Op(at(ops, i)), Value: strings.TrimSpace(at(values, i))})
		}
	}
	return list
}

// wrongCondition names the condition that something is wrong with.
func wrongCondition(l *templates.Locale, e comments.FieldError) string {
	_, at, many := strings.Cut(strings.TrimSuffix(e.Field, "]"), "[")
	number, err := strconv.Atoi(at)
	if !many || err != nil {
		return l.Field(e)
	}
	return l.Say("rule.wrong", "Number", l.Number(number+1), "Why", l.Say("rule.wrong_why."+e.Code))
}
