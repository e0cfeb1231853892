//go:build !linux && !darwin

package mountpoint

import (
	"context"
	"errors"

	"github.com/datakit/datakit/internal/shell"
)

var errUnsupported = errors.New("mounts are for Linux and macOS")

// A Mount is a mounted file system, of which this system has none.
type Mount struct {
	Path string // where it is mounted
	Type string // of the file system
}

func find(string) (Mount, bool) { return Mount{}, false }

// Of returns nothing.
func Of(path string) (Mount, bool) { return find(path) }

// Gone waits until ctx is done.
func Gone(ctx context.Context, _ Mount) { <-ctx.Done() }

// Unmount fails.
func Unmount(string) error { return errUnsupported }

// Detach fails.
func Detach(string) error { return errUnsupported }

// UnmountCommand returns the command with which this user unmounts dir.
func UnmountCommand(dir string) string { return "umount " + shell.Word(dir) }

func removal(dir string) string { return "umount " + shell.Word(dir) }

// CheckFUSE returns that there is no FUSE.
func CheckFUSE() error { return errUnsupported }
