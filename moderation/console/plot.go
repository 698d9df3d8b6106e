package console

import (
	"math"
	"net/http"
	"strconv"

	"github.com/go-analyze/charts"
)

// plot is a drawing of numbers that stand in a table beside it.
type plot struct {
	labels []string // along the bottom
	series []plotSeries
	lines  bool // else bars
	spans  bool // the values are seconds
	narrow bool // for a phone
	dark   bool // for a dark page
	format func(float64) string
}

type plotSeries struct {
	name   string
	values []float64
}

// plotInks are a plot's colours on a light page and on a dark one: words at least 4.5 to 1,
// lines and bars 3 to 1 (WCAG 1.4.3, 1.4.11).
type plotInks struct {
	ink, rule charts.Color
	series    []charts.Color
}

var (
	plotLight = plotInks{charts.ParseColor("#595959"), charts.ParseColor("rgba(0,0,0,0.14)"), []charts.Color{charts.ParseColor("#0f6b54"), charts.ParseColor("#a85f10")}}
	plotDark  = plotInks{charts.ParseColor("#b4b8b6"), charts.ParseColor("rgba(255,255,255,0.16)"), []charts.Color{charts.ParseColor("#5cc4a4"), charts.ParseColor("#e0a458")}}
)

// Sizes of a plot, and how many labels stand along its bottom at most.
const (
	plotWidth, plotHeight, plotLabels       = 720, 240, 8
	narrowWidth, narrowHeight, narrowLabels = 360, 240, 3
	plotDots                                = 40 // points that are marked
)

// top is where the upward axis ends, in as many equal steps, each a number that people count
// in: 1, 2 or 5 times a power of ten; for spans of time, round minutes, hours or days.
func (p plot) top() (top float64, steps int) {
	highest := 0.0
	for _, s := range p.series {
		for _, v := range s.values {
			if v == charts.GetNullValue() {
				continue
			}
			highest = max(highest, v)
		}
	}
	sizes := []float64{1}
	for ten := 1.0; ten < 1e12; ten *= 10 {
		sizes = append(sizes, ten, 2*ten, 5*ten)
	}
	if p.spans {
		const minute, hour, day = 60, 3600, 86400
		sizes = []float64{
			1, 5, 15, 30, minute, 2 * minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 6 * hour, 12 * hour,
			day, 2 * day, 5 * day, 10 * day, 30 * day, 100 * day,
		}
	}
	for _, size := range sizes {
		if n := math.Ceil(highest / size); n <= 4 {
			return max(n, 1) * size, int(max(n, 1))
		}
	}
	return highest, 4
}

// svg draws it.
func (p plot) svg() ([]byte, error) {
	inks := plotLight
	if p.dark {
		inks = plotDark
	}
	theme := charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: inks.ink, AxisSplitLineColor: inks.rule, BackgroundColor: charts.ColorTransparent, TextColor: inks.ink, SeriesColors: inks.series,
		IsDarkMode: p.dark,
	})
	size := charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: plotWidth, Height: plotHeight, Theme: theme}
	if p.narrow {
		size.Width, size.Height = narrowWidth, narrowHeight
	}
	painter := charts.NewPainter(size)
	data, names := make([][]float64, len(p.series)), make([]string, len(p.series))
	for i, s := range p.series {
		data[i], names[i] = s.values, s.name
	}
	top, steps := p.top()
	most := plotLabels
	if p.narrow {
		most = narrowLabels
	}
	if p.format == nil {
		p.format = func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	}
	font := charts.FontStyle{FontSize: 11, FontColor: inks.ink}
	// Each name is told apart by its mark's shape or place as well as by its colour.
	legend := charts.LegendOption{SeriesNames: names, FontStyle: font, Offset: charts.OffsetLeft}
	across := charts.CategoryAxisOption{Labels: p.labels, LabelFontStyle: font, LabelCount: min(len(p.labels), most)}
	up := charts.ValueAxisOption{
		LabelFontStyle: font, Min: charts.Ptr(0.0), Max: charts.Ptr(top), LabelCount: steps + 1, PreferNiceIntervals: charts.Ptr(false),
		RangeValuePaddingScale: charts.Ptr(0.0), ValueFormatter: p.format,
	}
	var err error
	if p.lines {
		opt := charts.NewLineChartOptionWithData(data)
		opt.Theme, opt.Legend, opt.XAxis, opt.YAxis, opt.ValueFormatter = theme, legend, across, []charts.ValueAxisOption{up}, p.format
		opt.Padding, opt.Symbol = charts.NewBoxEqual(8), charts.Symbol{Shape: charts.SymbolCircle}
		if len(p.labels) > plotDots {
			opt.Symbol.Shape = charts.SymbolNone
		}
		err = painter.LineChart(opt)
	} else {
		opt := charts.NewBarChartOptionWithData(data)
		opt.Theme, opt.Legend, opt.CategoryAxis, opt.ValueAxis, opt.ValueFormatter = theme, legend, across, []charts.ValueAxisOption{up}, p.format
		opt.Padding = charts.NewBoxEqual(8)
		if len(p.labels) < plotLabels {
			opt.BarSize = 0.3
		}
		err = painter.BarChart(opt)
	}
	if err != nil {
		return nil, err
	}
	return painter.Bytes()
}

// send answers with the drawing.
func (p plot) send(w http.ResponseWriter) error {
	image, err := p.svg()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	// The library writes its colours as styles; nothing else in the image may load or run.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, err = w.Write(image)
	return err
}
