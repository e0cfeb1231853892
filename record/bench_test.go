package record_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/datakit/datakit/record"
)

func BenchmarkGet(b *testing.B) {
	e := newEnv(b, openGit(b))
	f := record.Int(e.open(config()), "n", 1)
	b.ReportAllocs()
	for b.Loop() {
		f.Get()
	}
}

// BenchmarkChange makes commits that change a field. Its metric is how long it
// takes from there until a Wait has returned with the new value.
func BenchmarkChange(b *testing.B) {
	for _, d := range databases {
		for _, fields := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/fields=%d", d.name, fields), func(b *testing.B) {
				benchmarkChange(newEnv(b, d.open(b)), b, fields)
			})
		}
	}
}

func benchmarkChange(e *env, b *testing.B, fields int) {
	r := e.open(config())
	f := record.Int(r, "n", -1)
	for i := range fields - 1 {
		record.Int(r, fmt.Sprintf("n%d", i), 0)
	}
	e.check(r.Seal(e.ctx))
	errs, seen := make(chan error, 1), make(chan int)
	go func() {
		for {
			if err := r.Wait(e.ctx); err != nil {
				errs <- err
				return
			}
			seen <- f.Value()
		}
	}()
	var waited time.Duration
	n := 0
	for b.Loop() {
		e.put("master", "tests/n", fmt.Sprint(n))
		start := time.Now()
		for got := -1; got != n; {
			got = <-seen
		}
		waited += time.Since(start)
		n++
	}
	b.ReportMetric(float64(waited.Microseconds())/1000/float64(b.N), "ms-to-wait")
	go func() {
		for range seen {
		}
	}()
	e.check(r.Close())
	<-errs
	close(seen)
}
