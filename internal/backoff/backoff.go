// Package backoff says how long to wait before something that has failed is
// tried again.
package backoff

import (
	"math/rand/v2"
	"time"
)

const (
	first = time.Second
	last  = time.Minute
)

// Delay returns how long to wait after so many failures in a row: a second,
// doubling up to a minute, and up to a quarter more at random, so that what
// failed together is not tried again together (GH-109).
func Delay(failures int) time.Duration {
	d := last
	if failures < 7 {
		d = min(last, first<<max(0, failures-1))
	}
	return d + rand.N(d/4)
}
