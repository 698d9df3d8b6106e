// Package metrics counts what operators watch, in Prometheus' terms. It holds no names,
// addresses, pages or words: only routes, outcomes, sites' ids and sizes.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counters of one service, in a registry of their own.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	submissions *prometheus.CounterVec
	captchas    *prometheus.CounterVec
	commits     prometheus.Histogram
	batches     prometheus.Histogram
	backups     prometheus.Gauge
}

// New makes the counters, all at nought.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "duyet_requests_total", Help: "Requests by route and class of status.",
		}, []string{"route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "duyet_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
		submissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "duyet_submissions_total", Help: "Comments sent, by what became of them.",
		}, []string{"outcome"}),
		captchas: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "duyet_captchas_total", Help: "Verification codes issued, solved and failed.",
		}, []string{"event"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "duyet_store_commit_seconds", Help: "Time of a durable commit.",
			Buckets: prometheus.ExponentialBuckets(.0005, 2, 14),
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "duyet_store_commit_operations", Help: "Operations that shared a commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		backups: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "duyet_backup_last_success_timestamp_seconds", Help: "When the last automatic backup was made and verified.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "duyet_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.durations, m.submissions, m.captchas, m.commits, m.batches, m.backups, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Route makes the counter of one route's requests. Its labels are looked up here, so that
// counting a request costs neither a lookup nor an allocation. A negative time is not
// counted: the request was a stream.
func (m *Metrics) Route(route string) func(status int, took time.Duration) {
	var classes [6]prometheus.Counter // 0 unused, 1xx … 5xx
	for i := 1; i < len(classes); i++ {
		classes[i] = m.requests.WithLabelValues(route, strconv.Itoa(i)+"xx")
	}
	took := m.durations.WithLabelValues(route)
	return func(status int, d time.Duration) {
		if class := status / 100; class >= 1 && class < len(classes) {
			classes[class].Inc()
		}
		if d >= 0 {
			took.Observe(d.Seconds())
		}
	}
}

// Submission counts a comment sent by its outcome: a status ("pending"), or the code of
// what was wrong ("captcha_wrong", "limited").
func (m *Metrics) Submission(outcome string) { m.submissions.WithLabelValues(outcome).Inc() }

// Captcha counts what happened to a verification code: "issued", "solved" or "failed".
func (m *Metrics) Captcha(event string) { m.captchas.WithLabelValues(event).Inc() }

// Commit counts one durable commit of so many operations.
func (m *Metrics) Commit(took time.Duration, operations int) {
	m.commits.Observe(took.Seconds())
	m.batches.Observe(float64(operations))
}

// BackedUp notes when a backup was made and verified.
func (m *Metrics) BackedUp(at time.Time) { m.backups.Set(float64(at.Unix())) }

// Queue is how much of a site waits for a moderator.
type Queue struct {
	Site    string
	Pending int64
	Oldest  time.Time // zero when nothing waits
}

// Sources tell what is read at each scrape and must be cheap.
type Sources struct {
	Queues func(context.Context) ([]Queue, error)
	// Attacks is how many pages of a site are in attack mode, the site itself counted as one.
	Attacks func() map[string]int
	Size    func() (bytes int64, err error) // of the store
	Now     func() time.Time
}

// Watch adds what is read at each scrape. A source that fails leaves its values out of
// that scrape.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(&watcher{Sources: s, descs: newDescs()}) }

type descs struct{ pending, oldest, attacks, size *prometheus.Desc }

func newDescs() descs {
	return descs{
		pending: prometheus.NewDesc("duyet_queue_length", "Comments that wait for a moderator.", []string{"site"}, nil),
		oldest:  prometheus.NewDesc("duyet_queue_oldest_seconds", "Age of the comment that waits longest; 0 when none does.", []string{"site"}, nil),
		attacks: prometheus.NewDesc("duyet_attack_mode", "Pages in attack mode that began by itself or by hand; the site as a whole counts as one.", []string{"site"}, nil),
		size:    prometheus.NewDesc("duyet_store_bytes", "Size of the store.", nil, nil),
	}
}

type watcher struct {
	Sources
	descs
}

func (w *watcher) Describe(out chan<- *prometheus.Desc) {
	out <- w.pending
	out <- w.oldest
	out <- w.attacks
	out <- w.size
}

// scrapeWithin bounds what a scrape may ask of the store.
const scrapeWithin = 2 * time.Second

func (w *watcher) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	if queues, err := w.Queues(ctx); err == nil {
		for _, q := range queues {
			age := 0.0
			if !q.Oldest.IsZero() {
				age = max(0, w.Now().Sub(q.Oldest).Seconds())
			}
			out <- prometheus.MustNewConstMetric(w.pending, prometheus.GaugeValue, float64(q.Pending), q.Site)
			out <- prometheus.MustNewConstMetric(w.oldest, prometheus.GaugeValue, age, q.Site)
		}
	}
	if w.Attacks != nil {
		for site, n := range w.Attacks() {
			out <- prometheus.MustNewConstMetric(w.attacks, prometheus.GaugeValue, float64(n), site)
		}
	}
	if size, err := w.Size(); err == nil {
		out <- prometheus.MustNewConstMetric(w.size, prometheus.GaugeValue, float64(size))
	}
}
