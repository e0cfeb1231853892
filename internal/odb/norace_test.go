//go:build !race

package odb

// raceEnabled tells tests that the race detector makes everything slow.
const raceEnabled = false
