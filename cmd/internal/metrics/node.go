package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Node tells how a node stands to the database that it shares with others.
type Node struct {
	// Behind is how long ago it last knew of everything that the others have done.
	Behind func() time.Duration
	// Replica is what became of the reads that a standby may answer: answered by it; by
	// the primary, since the standby lagged; by the primary, since it gave no answer.
	Replica func() (standby, lagged, failed int64)
}

// WatchNode adds how the node stands, read at each scrape.
func (m *Metrics) WatchNode(n Node) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "duyet_node_behind_seconds", Help: "How long ago this node last knew of everything that the others have done; it serves from memory, marked as stale, from 3 on.",
	}, func() float64 { return n.Behind().Seconds() }))
	for i, outcome := range []string{"standby", "lagged", "failed"} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "duyet_standby_reads_total",
			Help:        "Public reads that were not in memory: answered by the standby, or by the primary since the standby lagged or failed.",
			ConstLabels: prometheus.Labels{"outcome": outcome},
		}, func() float64 {
			standby, lagged, failed := n.Replica()
			return float64([]int64{standby, lagged, failed}[i])
		}))
	}
}
