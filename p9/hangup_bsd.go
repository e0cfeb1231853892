//go:build unix && !linux

package p9

// hangUpEvents are none: the end of a connection is among what is told unasked.
const hangUpEvents = 0
