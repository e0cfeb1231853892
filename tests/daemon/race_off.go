//go:build !race

package daemon

// Race tells whether the tests run under the race detector.
const Race = false
