//go:build race

package odb

// raceEnabled is 1 if the race detector makes everything slow.
const raceEnabled = 1
