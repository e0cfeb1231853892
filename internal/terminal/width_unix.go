//go:build !windows

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// unknownWidth is the width of a terminal that does not tell its own.
const unknownWidth = 80

func width(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return unknownWidth
	}
	return int(size.Col)
}
