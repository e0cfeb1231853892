//go:build !windows

package logs

import "os"

// isTerminal reports whether f is a terminal, or /dev/null, where color does no
// harm.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
