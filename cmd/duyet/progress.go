package main

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// counting shows how far a long work has come, on a terminal. done takes the line away.
func (e *env) counting(what string) (progress func(done, total int64), done func()) {
	if !e.terminal {
		return func(int64, int64) {}, func() {}
	}
	bar := e.bar(what, 1)
	return func(done, total int64) {
		bar.ChangeMax64(max(total, 1))
		_ = bar.Set64(min(done, total)) // a line that can't be drawn is no fault
	}, func() { _ = bar.Clear() }
}

// working shows that a long work goes on, where it can't be told how far it has come.
func (e *env) working(what string) (done func()) {
	if !e.terminal {
		return func() {}
	}
	bar := e.bar(what, -1)
	stop := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = bar.Add(1)
			case <-stop:
				_ = bar.Clear()
				return
			}
		}
	})
	return func() {
		close(stop)
		drawing.Wait()
	}
}

func (e *env) bar(what string, most int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(most,
		progressbar.OptionSetWriter(e.errs), progressbar.OptionSetDescription(what), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
}
