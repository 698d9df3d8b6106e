package console

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"duyet/comments"
	"duyet/moderation"
	"duyet/templates"
)

// reportPage is a site's transparency report.
type reportPage struct {
	frame
	Sites    []link
	Bys      []link
	SiteName string
	Year     int
	PrevURL  string
	NextURL  string
	ByYear   bool
	Periods  []string
	Measures []reportRow
	Reasons  []reportRow
	CSVURL   string
	JSONURL  string
	Empty    bool
}

type reportRow struct {
	Name  string
	Cells []string
}

// reportMeasures are what a report counts, under the names that CSV and JSON use.
var reportMeasures = []struct {
	id string
	of func(moderation.StatsPart) int64
}{
	{"received", func(p moderation.StatsPart) int64 { return p.Arrived }},
	{"approved", func(p moderation.StatsPart) int64 { return p.All.To[comments.Approved] + p.Unasked[comments.Approved] }},
	{"rejected", func(p moderation.StatsPart) int64 { return p.All.To[comments.Rejected] + p.Unasked[comments.Rejected] }},
	{"spam", func(p moderation.StatsPart) int64 { return p.All.To[comments.Spam] + p.Unasked[comments.Spam] }},
	{"trashed", func(p moderation.StatsPart) int64 { return p.All.To[comments.Trashed] + p.Unasked[comments.Trashed] }},
	{"automatic", func(p moderation.StatsPart) (n int64) {
		for _, k := range p.Unasked {
			n += k
		}
		return n
	}},
	{"restored", func(p moderation.StatsPart) int64 { return p.Restored }},
	{"undone", func(p moderation.StatsPart) int64 { return p.Undone }},
	{"appeals", func(p moderation.StatsPart) int64 { return p.Appealed }},
	{"appeals_upheld", func(p moderation.StatsPart) int64 { return p.Upheld }},
	{"appeals_granted", func(p moderation.StatsPart) int64 { return p.Granted }},
	{"reports", func(p moderation.StatsPart) int64 { return p.Reported }},
	{"reworded", func(p moderation.StatsPart) int64 { return p.Reworded }},
	{"withdrawn", func(p moderation.StatsPart) int64 { return p.Withdrawn }},
}

// reportAsked is what a report is asked about.
type reportAsked struct {
	site string
	by   moderation.ReportBy
	year int
}

func askedReport(q url.Values) (a reportAsked, err error) {
	a = reportAsked{site: q.Get("site"), by: moderation.ReportBy(cmp.Or(q.Get("by"), string(moderation.ByMonth)))}
	if y := q.Get("year"); y != "" {
		if a.year, err = strconv.Atoi(y); err != nil || a.year == 0 {
			return a, errors.Join(comments.ErrMalformed, err)
		}
	}
	return a, nil
}

func (a reportAsked) path(file string) string {
	q := query("site", a.site, "by", string(a.by), "year", strconv.Itoa(a.year))
	return reportPath + file + "?" + q.Encode()
}

func (a reportAsked) name(at time.Time) string {
	switch a.by {
	case moderation.ByYear:
		return at.Format("2006")
	case moderation.ByQuarter:
		return fmt.Sprintf("%d-Q%d", at.Year(), (int(at.Month())+2)/3)
	}
	return at.Format("2006-01")
}

// report reads what is asked for, with the site and year filled in.
func (c *Console) report(r *http.Request, v *visit) (a reportAsked, all []comments.Site, site comments.Site, parts []moderation.StatsPart, err error) {
	if a, err = askedReport(r.URL.Query()); err != nil {
		return a, nil, site, nil, err
	}
	if all, site, err = c.sites(r.Context(), v, a.site); err != nil || site.ID == "" {
		return a, all, site, nil, err
	}
	c.inZoneOf(v, site)
	if a.site = site.ID; a.year == 0 {
		a.year = v.now.In(site.Settings.Location()).Year()
	}
	parts, err = c.cfg.Service.Report(r.Context(), v.who, site.ID, a.by, a.year)
	return a, all, site, parts, err
}

func (c *Console) showReport(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, all, site, parts, err := c.report(r, v)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return c.noSite(w, r, v)
	}
	templates.UseLocale(r, v.l)
	d := &reportPage{
		frame: c.frame(r, v, "stats"), SiteName: site.Name, Year: a.year, ByYear: a.by == moderation.ByYear,
		CSVURL: c.set.URL(a.path(".csv")), JSONURL: c.set.URL(a.path(".json")), Empty: len(parts) == 0,
	}
	at := func(change func(*reportAsked)) string {
		b := a
		change(&b)
		return c.set.URL(b.path(""))
	}
	if len(all) > 1 {
		for _, s := range all {
			d.Sites = append(d.Sites, link{Words: s.Name, URL: at(func(b *reportAsked) { b.site = s.ID }), Current: s.ID == site.ID})
		}
	}
	for _, by := range moderation.ReportBys {
		d.Bys = append(d.Bys, link{Words: v.l.Say("report.by." + string(by)), URL: at(func(b *reportAsked) { b.by = by }), Current: by == a.by})
	}
	if !d.ByYear {
		d.PrevURL = at(func(b *reportAsked) { b.year-- })
		if a.year < v.now.In(site.Settings.Location()).Year() {
			d.NextURL = at(func(b *reportAsked) { b.year++ })
		}
	}
	for _, p := range parts {
		d.Periods = append(d.Periods, a.name(p.From))
	}
	row := func(name string, of func(moderation.StatsPart) string) reportRow {
		one := reportRow{Name: name}
		for _, p := range parts {
			one.Cells = append(one.Cells, of(p))
		}
		return one
	}
	for _, m := range reportMeasures {
		d.Measures = append(d.Measures, row(v.l.Say("report.measure."+m.id), func(p moderation.StatsPart) string { return v.l.Number(m.of(p)) }))
	}
	d.Measures = append(d.Measures,
		row(v.l.Say("stats.median"), func(p moderation.StatsPart) string { return v.took(p.All.Took, .5) }),
		row(v.l.Say("stats.slow"), func(p moderation.StatsPart) string { return v.took(p.All.Took, .95) }))
	for _, code := range reasonsOf(parts) {
		d.Reasons = append(d.Reasons, row(v.reasonOf(code), func(p moderation.StatsPart) string {
			if share := p.Reasons[code]; share != nil {
				return v.l.Number(share.Decided())
			}
			return v.l.Number(0)
		}))
	}
	title := v.l.Say("report.title") + " · Duyet"
	return c.set.Page(w, http.StatusOK, "console/report", templates.View{L: v.l, D: d, Title: title, NoIndex: true, Classes: "wide"})
}

// reasonsOf are the codes of all reasons for which anything was refused, in order.
func reasonsOf(parts []moderation.StatsPart) []string {
	codes := map[string]bool{}
	for _, p := range parts {
		for code := range p.Reasons {
			codes[code] = true
		}
	}
	return slices.Sorted(maps.Keys(codes))
}

// apiReportPart is one period of a transparency report: counts alone, no person and no comment.
type apiReportPart struct {
	Period        string           `json:"period" doc:"2026-11, 2026-Q4 or 2026"`
	From          string           `json:"from" format:"date" doc:"Its first day, in the site's time zone"`
	Counts        map[string]int64 `json:"counts" doc:"received, approved, rejected, spam, trashed, automatic (of these, without a moderator), restored, undone, appeals, appeals_upheld, appeals_granted, reports, reworded, withdrawn"`
	Reasons       map[string]int64 `json:"reasons" doc:"Refusals by code of the reason; empty = none was given, typed = in a moderator's own words"`
	MedianSeconds float64          `json:"median_seconds,omitempty" doc:"To a decision, within 9 percent"`
	SlowSeconds   float64          `json:"p95_seconds,omitempty"`
}

type apiReportAll struct {
	Site    string          `json:"site"`
	Name    string          `json:"name"`
	By      string          `json:"by"`
	Periods []apiReportPart `json:"periods"`
}

func newReport(a reportAsked, site comments.Site, parts []moderation.StatsPart) apiReportAll {
	out := apiReportAll{Site: site.ID, Name: site.Name, By: string(a.by), Periods: make([]apiReportPart, len(parts))}
	for i, p := range parts {
		one := apiReportPart{
			Period: a.name(p.From), From: p.From.Format(time.DateOnly), Counts: map[string]int64{}, Reasons: map[string]int64{},
			MedianSeconds: p.All.Took.Quantile(.5), SlowSeconds: p.All.Took.Quantile(.95),
		}
		for _, m := range reportMeasures {
			one.Counts[m.id] = m.of(p)
		}
		for code, share := range p.Reasons {
			one.Reasons[code] = share.Decided()
		}
		out.Periods[i] = one
	}
	return out
}

// sendReport answers with the report as CSV or JSON.
func (c *Console) sendReport(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, _, site, parts, err := c.report(r, v)
	if err != nil {
		return err
	}
	if site.ID == "" {
		return comments.ErrNotFound
	}
	all := newReport(a, site, parts)
	if strings.HasSuffix(r.URL.Path, ".json") {
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(all)
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="duyet-report.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"site", "period", "from", "measure", "reason", "value"}) // its error comes back from Flush
	for i, p := range all.Periods {
		line := func(measure, reason, value string) {
			_ = out.Write([]string{site.ID, p.Period, p.From, measure, inert(reason), value})
		}
		for _, m := range reportMeasures {
			line(m.id, "", strconv.FormatInt(p.Counts[m.id], 10))
		}
		for _, code := range reasonsOf(parts[i : i+1]) {
			line("refused", code, strconv.FormatInt(p.Reasons[code], 10))
		}
		if p.MedianSeconds > 0 {
			line("median_seconds", "", strconv.FormatFloat(p.MedianSeconds, 'f', 1, 64))
			line("p95_seconds", "", strconv.FormatFloat(p.SlowSeconds, 'f', 1, 64))
		}
	}
	out.Flush()
	return out.Error()
}

type statsInput struct {
	Site   string `query:"site" required:"true"`
	Period string `query:"period" enum:"today,week,month,year" default:"week"`
}

type apiStats struct {
	Site          string              `json:"site"`
	Period        string              `json:"period"`
	Waiting       int64               `json:"waiting" doc:"Now"`
	OldestAt      *time.Time          `json:"oldest_at,omitempty" doc:"When the comment came that waits longest"`
	Arrived       int64               `json:"arrived"`
	Decided       int64               `json:"decided" doc:"Without decisions that were undone"`
	MedianSeconds float64             `json:"median_seconds,omitempty" doc:"To a decision, within 9 percent"`
	SlowSeconds   float64             `json:"p95_seconds,omitempty"`
	Points        []apiPoint          `json:"points" doc:"By hour, by day or by month"`
	Moderators    map[string]apiShare `json:"moderators" doc:"By id; those of others for who manages people alone"`
	Reasons       map[string]apiShare `json:"reasons"`
	Checks        map[string]apiShare `json:"checks"`
	Behind        bool                `json:"behind,omitempty" doc:"Not all that has happened is counted yet"`
}

type apiPoint struct {
	At      time.Time `json:"at"`
	Arrived int64     `json:"arrived"`
	Decided int64     `json:"decided"`
}

type apiShare struct {
	Decided       int64   `json:"decided"`
	Approved      int64   `json:"approved"`
	MedianSeconds float64 `json:"median_seconds,omitempty"`
	SlowSeconds   float64 `json:"p95_seconds,omitempty"`
}

func newShares(shares map[string]*moderation.Share) map[string]apiShare {
	out := map[string]apiShare{}
	for key, s := range shares {
		out[key] = apiShare{s.Decided(), s.To[comments.Approved], s.Took.Quantile(.5), s.Took.Quantile(.95)}
	}
	return out
}

type reportInput struct {
	Site string `query:"site" required:"true"`
	By   string `query:"by" enum:"month,quarter,year" default:"month"`
	Year int    `query:"year" doc:"This year unless another is named"`
}

func (c *Console) registerStats() {
	serve(c, operation("moderation-stats", http.MethodGet, "/stats", "How a site is doing", http.StatusBadRequest), func(ctx context.Context, who caller, in *statsInput) (apiStats, error) {
		st, err := c.cfg.Service.Stats(ctx, who.who, in.Site, moderation.StatsPeriod(in.Period))
		if err != nil {
			return apiStats{}, err
		}
		out := apiStats{
			Site: in.Site, Period: in.Period, Waiting: st.Waiting, Arrived: st.Total.Arrived, Decided: st.Total.All.Decided(), Behind: st.Behind,
			MedianSeconds: st.Total.All.Took.Quantile(.5), SlowSeconds: st.Total.All.Took.Quantile(.95), Points: make([]apiPoint, len(st.Points)),
			Moderators: newShares(st.Total.By), Reasons: newShares(st.Total.Reasons), Checks: newShares(st.Total.Checks),
		}
		if !st.Oldest.IsZero() {
			at := st.Oldest.UTC()
			out.OldestAt = &at
		}
		for i, p := range st.Points {
			out.Points[i] = apiPoint{p.At.UTC(), p.Flow.Arrived, p.Flow.Decided}
		}
		return out, nil
	})
	serve(c, operation("moderation-report", http.MethodGet, "/report", "A site's transparency report", http.StatusBadRequest), func(ctx context.Context, who caller, in *reportInput) (apiReportAll, error) {
		parts, err := c.cfg.Service.Report(ctx, who.who, in.Site, moderation.ReportBy(in.By), in.Year)
		if err != nil {
			return apiReportAll{}, err
		}
		sites, err := c.cfg.Service.Sites(ctx, who.who)
		if err != nil {
			return apiReportAll{}, err
		}
		site := comments.Site{ID: in.Site, Name: siteName(sites, in.Site)}
		return newReport(reportAsked{site: in.Site, by: moderation.ReportBy(in.By)}, site, parts), nil
	})
}
