//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package refdb

import (
	"errors"
	"os"
)

// flock does not work here: locks have no owner, and stay when a process dies.
func flock(*os.File) error { return errors.ErrUnsupported }

// unflock does nothing: closing f is enough.
func unflock(*os.File) {}
