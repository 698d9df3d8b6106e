package console

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-analyze/charts"
	"github.com/gorilla/mux"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

const (
	statsPath  = "/moderation/stats"
	reportPath = "/moderation/report"
)

func (c *Console) statsRoutes(r *mux.Router) {
	get := []string{http.MethodGet, http.MethodHead}
	r.Handle(statsPath, c.forModerators(c.showStats)).Methods(get...)
	r.Handle(statsPath+"/{plot:[a-z]+}.svg", c.forModerators(c.drawStats)).Methods(get...)
	r.Handle(reportPath, c.forModerators(c.showReport)).Methods(get...)
	r.Handle(reportPath+".csv", c.forModerators(c.sendReport)).Methods(get...)
	r.Handle(reportPath+".json", c.forModerators(c.sendReport)).Methods(get...)
	c.registerStats()
}

// statsPage is how a site is doing.
type statsPage struct {
	frame
	Sites     []link
	Periods   []link
	Site      string
	SiteName  string
	Stats     moderation.Stats
	Oldest    string // how long the oldest has waited
	OldestURL string
	Overdue   bool
	Median    string
	Slow      string // the 95th percentile
	Figures   []figure
	ReportURL string
	Zone      string
}

// figure is a plot with the numbers that it draws.
type figure struct {
	ID      string
	Title   string
	Alt     string
	URL     string // of the plot; "" = the table alone says it better
	Columns []string
	Rows    [][]string // the first cell is the row's head
}

func (c *Console) showStats(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	all, site, err := c.sites(r.Context(), v, q.Get("site"))
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	c.inZoneOf(v, site)
	templates.UseLocale(r, v.l)
	period := statsPeriod(q)
	st, err := c.cfg.Service.Stats(r.Context(), v.who, site.ID, period)
	if err != nil {
		return err
	}
	d := &statsPage{
		frame: c.frame(r, v, "stats"), Site: site.ID, SiteName: site.Name, Stats: st, Zone: site.Settings.Location().String(),
		OldestURL: c.set.URL("/moderation/?" + query("site", site.ID, "queue", string(comments.Pending), "order", string(comments.Oldest)).Encode()),
		ReportURL: c.set.URL(reportPath + "?" + query("site", site.ID).Encode()),
	}
	at := func(site string, p moderation.StatsPeriod) string {
		return c.set.URL(statsPath + "?" + query("site", site, "period", string(p)).Encode())
	}
	if len(all) > 1 {
		for _, s := range all {
			d.Sites = append(d.Sites, link{Words: s.Name, URL: at(s.ID, period), Current: s.ID == site.ID})
		}
	}
	for _, p := range moderation.StatsPeriods {
		d.Periods = append(d.Periods, link{Words: v.l.Say("stats.period." + string(p)), URL: at(site.ID, p), Current: p == period})
	}
	if !st.Oldest.IsZero() {
		d.Oldest = v.l.Age(st.Oldest, v.now)
		d.Overdue = site.Settings.WarnAfter > 0 && v.now.Sub(st.Oldest) > site.Settings.WarnAfter
	}
	d.Median, d.Slow = v.took(st.Total.All.Took, .5), v.took(st.Total.All.Took, .95)
	for _, f := range statsFigures {
		one, p := f.of(v, st)
		if len(one.Rows) == 0 {
			continue
		}
		one.ID, one.Title, one.Alt = f.id, v.l.Say("stats."+f.id), v.l.Say("stats."+f.id+"_alt")
		if len(p.labels) > 0 {
			one.URL = c.set.URL(fmt.Sprintf("%s/%s.svg?%s", statsPath, f.id, query("site", site.ID, "period", string(period)).Encode()))
		}
		d.Figures = append(d.Figures, one)
	}
	if len(all) > 1 {
		one, err := c.sitesFigure(r, v, all, period)
		if err != nil {
			return err
		}
		d.Figures = append(d.Figures, one)
	}
	title := v.l.Say("stats.title") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/stats", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

func statsPeriod(q url.Values) moderation.StatsPeriod {
	return moderation.StatsPeriod(cmp.Or(q.Get("period"), string(moderation.StatsWeek)))
}

// took is a quantile in words, "" where nothing was timed.
func (v *visit) took(s moderation.Spans, q float64) string {
	if s.Count() == 0 {
		return ""
	}
	return v.l.Wait(inSeconds(s.Quantile(q)))
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// statsFigures are the figures of one site, each read as a table and, where it has labels, as
// a plot.
var statsFigures = []struct {
	id string
	of func(v *visit, st moderation.Stats) (figure, plot)
}{
	{"flow", flowFigure},
	{"took", tookFigure},
	{"people", func(v *visit, st moderation.Stats) (figure, plot) {
		return v.sharesFigure(st.Total.By, func(id string) string { return v.actor(id) })
	}},
	{"reasons", func(v *visit, st moderation.Stats) (figure, plot) {
		return v.sharesFigure(st.Total.Reasons, v.reasonOf)
	}},
	{"checks", func(v *visit, st moderation.Stats) (figure, plot) {
		return v.sharesFigure(st.Total.Checks, v.checkOf)
	}},
}

func (v *visit) reasonOf(code string) string {
	switch code {
	case "":
		return v.l.Say("reason_none")
	case comments.ReasonTyped:
		return v.l.Say("stats.typed")
	}
	return v.reasonWords(code)
}

func (v *visit) checkOf(check string) string {
	if id := "filter.check." + check; v.l.Has(id) {
		return v.l.Say(id)
	}
	return check
}

// moment is the name of a part of a period.
func (v *visit) moment(at time.Time, p moderation.StatsPeriod, hours bool) string {
	switch {
	case hours && p == moderation.StatsToday:
		return at.Format("15:04")
	case hours:
		return at.Format("15:04 2/1")
	case p == moderation.StatsYear:
		return at.Format("1/2006")
	}
	return at.Format("2/1")
}

func flowFigure(v *visit, st moderation.Stats) (figure, plot) {
	f := figure{Columns: []string{v.l.Say("stats.when"), v.l.Say("stats.arrived"), v.l.Say("stats.decided")}}
	p := plot{series: []plotSeries{{name: f.Columns[1]}, {name: f.Columns[2]}}, lines: st.Period != moderation.StatsToday}
	for _, one := range st.Points {
		label := v.moment(one.At, st.Period, true)
		if st.Period == moderation.StatsMonth || st.Period == moderation.StatsYear {
			label = v.moment(one.At, st.Period, false)
		}
		if st.Period != moderation.StatsWeek {
			p.add(label, float64(one.Flow.Arrived), float64(one.Flow.Decided))
		}
		f.Rows = append(f.Rows, []string{label, v.l.Number(one.Flow.Arrived), v.l.Number(one.Flow.Decided)})
	}
	if st.Period == moderation.StatsWeek { // 168 hours are for the table
		for _, day := range st.Parts {
			p.add(v.moment(day.From, st.Period, false), float64(day.Arrived), float64(day.All.Decided()))
		}
	}
	return f, p
}

// add puts a point of each series behind the others.
func (p *plot) add(label string, values ...float64) {
	p.labels = append(p.labels, label)
	for i, value := range values {
		p.series[i].values = append(p.series[i].values, value)
	}
}

func tookFigure(v *visit, st moderation.Stats) (figure, plot) {
	f := figure{Columns: []string{v.l.Say("stats.when"), v.l.Say("stats.median"), v.l.Say("stats.slow")}}
	p := plot{
		series: []plotSeries{{name: v.l.Say("stats.half")}, {name: "95%"}}, lines: true, spans: true,
		format: func(s float64) string {
			if s == 0 {
				return "0"
			}
			return v.l.Wait(inSeconds(s))
		},
	}
	timed := false
	for _, one := range st.Parts {
		label := v.moment(one.From, st.Period, false)
		median, slow := one.All.Took.Quantile(.5), one.All.Took.Quantile(.95)
		timed = timed || median > 0
		if median == 0 { // nothing was decided: no point
			median, slow = charts.GetNullValue(), charts.GetNullValue()
		}
		p.add(label, median, slow)
		f.Rows = append(f.Rows, []string{label, v.took(one.All.Took, .5), v.took(one.All.Took, .95)})
	}
	if !timed {
		return figure{}, plot{}
	}
	if len(st.Parts) < 2 {
		p.labels = nil // a point is no plot
	}
	return f, p
}

// sharesMost is how many bars a plot has; the table has them all.
const sharesMost = 8

func (v *visit) sharesFigure(shares map[string]*moderation.Share, name func(string) string) (figure, plot) {
	f := figure{Columns: []string{
		v.l.Say("stats.what"), v.l.Say("stats.decided"), v.l.Say("stats.approved"), v.l.Say("stats.refused"), v.l.Say("stats.median"), v.l.Say("stats.slow"),
	}}
	p := plot{series: []plotSeries{{name: f.Columns[2]}, {name: f.Columns[3]}}}
	keys := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b].Decided(), shares[a].Decided()), strings.Compare(a, b))
	})
	some := false
	for i, key := range keys {
		s := shares[key]
		approved := s.To[comments.Approved]
		refused := s.Decided() - approved - s.To[comments.Pending]
		if i < sharesMost {
			p.labels = append(p.labels, name(key))
			p.series[0].values = append(p.series[0].values, float64(approved))
			p.series[1].values = append(p.series[1].values, float64(refused))
		}
		some = some || approved != 0
		f.Rows = append(f.Rows, []string{name(key), v.l.Number(s.Decided()), v.l.Number(approved), v.l.Number(refused), v.took(s.Took, .5), v.took(s.Took, .95)})
	}
	if !some { // reasons are of refusals alone
		p.series = p.series[1:]
	}
	return f, p
}

// sitesFigure sets the moderator's sites side by side.
func (c *Console) sitesFigure(r *http.Request, v *visit, all []comments.Site, period moderation.StatsPeriod) (figure, error) {
	f := figure{ID: "sites", Title: v.l.Say("stats.sites"), Columns: []string{
		v.l.Say("stats.site"), v.l.Say("stats.waiting"), v.l.Say("stats.oldest"), v.l.Say("stats.arrived"), v.l.Say("stats.decided"), v.l.Say("stats.median"), v.l.Say("stats.slow"),
	}}
	for _, site := range all {
		st, err := c.cfg.Service.Stats(r.Context(), v.who, site.ID, period)
		if err != nil {
			return f, err
		}
		oldest := ""
		if !st.Oldest.IsZero() {
			oldest = v.l.Age(st.Oldest, v.now)
		}
		took := st.Total.All.Took
		f.Rows = append(f.Rows, []string{
			site.Name, v.l.Number(st.Waiting), oldest, v.l.Number(st.Total.Arrived), v.l.Number(st.Total.All.Decided()), v.took(took, .5), v.took(took, .95),
		})
	}
	return f, nil
}

// drawStats sends one plot.
func (c *Console) drawStats(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	_, site, err := c.sites(r.Context(), v, q.Get("site"))
	if err != nil {
		return err
	}
	c.inZoneOf(v, site)
	i := slices.IndexFunc(statsFigures, func(f struct {
		id string
		of func(v *visit, st moderation.Stats) (figure, plot)
	}) bool {
		return f.id == mux.Vars(r)["plot"]
	})
	if i < 0 {
		return comments.ErrNotFound
	}
	st, err := c.cfg.Service.Stats(r.Context(), v.who, site.ID, statsPeriod(q))
	if err != nil {
		return err
	}
	_, p := statsFigures[i].of(v, st)
	if len(p.labels) == 0 {
		return comments.ErrNotFound
	}
	p.narrow, p.dark = q.Has("narrow"), q.Has("dark")
	return p.send(w)
}
