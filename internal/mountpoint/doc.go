// Package mountpoint looks at directories that something is, or is to be,
// mounted on, and unmounts.
//
// Nothing here waits for a file system that does not answer.
package mountpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/datakit/datakit/internal/shell"
)

// ErrBusy is returned by Unmount if the file system is in use.
var ErrBusy = errors.New("it is in use")

// answerTime is how long a file system may take to say what a directory is.
const answerTime = 3 * time.Second

// Check returns the absolute path of dir if something can be mounted on it: if
// it is a directory, is no mount point yet, and is empty, unless full is set.
// The error says what to do.
func Check(dir string, full bool) (string, error) {
	if dir == "" {
		return "", errors.New("the mount point is empty: name a directory")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if abs, err = resolve(abs); err != nil {
		return "", explain(dir, err)
	}
	if m, ok := find(abs); ok {
		return "", fmt.Errorf("%s is in use: %s is mounted there; unmount that with: %s", dir, m.Type, UnmountCommand(dir))
	}
	err = bounded(func() error { return checkDir(abs, full) })
	return abs, explain(dir, err)
}

var (
	errNotDir   = errors.New("it is not a directory")
	errNotEmpty = errors.New("it is not empty")
	errSilent   = errors.New("the file system there does not answer")
)

// resolve follows the links in the path of a directory.
func resolve(path string) (resolved string, err error) {
	err = bounded(func() error {
		resolved, err = filepath.EvalSymlinks(path)
		return err
	})
	if err != nil {
		return "", err
	}
	return resolved, nil
}

func checkDir(path string, full bool) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return errNotDir
	case full:
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if names, _ := f.Readdirnames(1); len(names) > 0 {
		return errNotEmpty
	}
	return nil
}

// bounded is f, unless that takes too long.
func bounded(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }() // for as long as the file system lets it wait
	limit := time.NewTimer(answerTime)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return errSilent
	}
}

// explain says what can be done about what is wrong with dir.
func explain(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: make it with: mkdir -p %s", dir, shell.Word(dir))
	case errors.Is(err, errNotDir), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s is not a directory: name one to mount on", dir)
	case errors.Is(err, errNotEmpty):
		return fmt.Errorf("%s is not empty, and what is in it would be hidden: use an empty directory, or --nonempty", dir)
	case errors.Is(err, syscall.ENOTCONN), errors.Is(err, errSilent):
		return fmt.Errorf("%s is a stale mount, whose server is gone: remove it with: %s", dir, removal(dir))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to use %s: mount on a directory of your own", dir)
	}
	return fmt.Errorf("cannot mount on %s: %w", dir, err)
}
