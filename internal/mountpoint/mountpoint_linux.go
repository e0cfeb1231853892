package mountpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/datakit/datakit/internal/shell"
)

// A Mount is what /proc/self/mountinfo says of a mounted file system.
type Mount struct {
	ID   int    // of the mount
	Dev  string // the device number, as MAJOR:MINOR
	Path string // where it is mounted
	Type string // of the file system, such as "9p" and "fuse.datakit"
}

const mountInfo = "/proc/self/mountinfo"

// find returns the file system that is mounted on a directory, the last one if
// there are several.
func find(path string) (found Mount, ok bool) {
	text, err := os.ReadFile(mountInfo)
	if err != nil {
		return Mount{}, false
	}
	for line := range strings.Lines(string(text)) {
		if m, valid := parse(line); valid && m.Path == path {
			found, ok = m, true
		}
	}
	return found, ok
}

// parse reads a line: ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [FIELD...] - TYPE ...
func parse(line string) (Mount, bool) {
	before, after, ok := strings.Cut(line, " - ")
	f, rest := strings.Fields(before), strings.Fields(after)
	if !ok || len(f) < 5 || len(rest) < 1 {
		return Mount{}, false
	}
	id, err := strconv.Atoi(f[0])
	return Mount{ID: id, Dev: f[2], Path: unescape(f[4]), Type: rest[0]}, err == nil
}

// unescape undoes how the kernel writes white space and backslashes in paths.
func unescape(s string) string {
	for _, c := range []string{" ", "\t", "\n", "#", "\\"} { // the last one last
		s = strings.ReplaceAll(s, fmt.Sprintf(`\%03o`, c[0]), c)
	}
	return s
}

// Of returns what is mounted on the directory with an absolute path.
func Of(path string) (Mount, bool) { return find(path) }

// watchInterval is how often Gone looks even if the kernel tells of no change.
const watchInterval = 2 * time.Second

// Gone waits until m is not mounted any more, or ctx is done.
func Gone(ctx context.Context, m Mount) {
	f, err := os.Open(mountInfo)
	if err != nil {
		<-ctx.Done()
		return
	}
	defer f.Close()
	for ctx.Err() == nil {
		if !mounted(m) {
			return
		}
		// The kernel calls a change of the table an exceptional condition.
		// The interval also bounds how long ctx is not looked at.
		const pause = 200 * time.Millisecond
		for waited := time.Duration(0); waited < watchInterval && ctx.Err() == nil; waited += pause {
			fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
			n, _ := unix.Poll(fds, int(pause.Milliseconds()))
			if n > 0 {
				break
			}
		}
	}
}

func mounted(m Mount) bool {
	text, err := os.ReadFile(mountInfo)
	if err != nil {
		return true
	}
	return bytes.Contains(text, fmt.Appendf(nil, "\n%d ", m.ID)) || bytes.HasPrefix(text, fmt.Appendf(nil, "%d ", m.ID))
}

// Unmount unmounts what is mounted on a directory, as an administrator or, for
// FUSE, with the help of fusermount3. The error is ErrBusy if it is in use.
func Unmount(path string) error {
	err := unix.Unmount(path, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EPERM) {
		return fusermount("-u", path)
	}
	return unmountError(path, err)
}

// Detach takes what is mounted on a directory away although it is in use. Who
// uses it gets errors from then on.
func Detach(path string) error {
	// With MNT_FORCE the requests that wait are aborted, and with MNT_DETACH
	// the name is gone whatever happens.
	err := unix.Unmount(path, unix.MNT_FORCE|unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EPERM) {
		return fusermount("-uz", path)
	}
	return unmountError(path, err)
}

func unmountError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("unmount %s: %w", path, ErrBusy)
	}
	return fmt.Errorf("unmount %s: %w", path, err)
}

// helperTime is how long fusermount3 may take.
const helperTime = 10 * time.Second

// fusermount runs the program that may unmount for users.
func fusermount(how, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), helperTime)
	defer cancel()
	name := "fusermount3"
	if _, err := exec.LookPath(name); err != nil {
		name = "fusermount"
	}
	cmd := exec.CommandContext(ctx, name, how, "--", path)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	switch text := strings.TrimSpace(string(out)); {
	case err == nil:
		return nil
	case strings.Contains(text, "busy"):
		return fmt.Errorf("unmount %s: %w", path, ErrBusy)
	case text != "":
		return fmt.Errorf("unmount %s: %s", path, text)
	}
	return fmt.Errorf("unmount %s: %w", path, err)
}

// UnmountCommand returns the command with which this user unmounts dir.
func UnmountCommand(dir string) string {
	if os.Geteuid() != 0 {
		return "fusermount3 -u " + shell.Word(dir)
	}
	return "umount " + shell.Word(dir)
}

// removal returns the command that removes a stale mount.
func removal(dir string) string {
	dir = shell.Word(dir)
	return fmt.Sprintf("fusermount3 -u %s, or: umount -l %s", dir, dir)
}

// CheckFUSE returns why this user cannot mount with FUSE, and what to do, or
// nil.
func CheckFUSE() error {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return errors.New("there is no /dev/fuse: load it with: modprobe fuse; a container needs --device /dev/fuse --cap-add SYS_ADMIN")
	}
	if os.Geteuid() == 0 {
		return nil
	}
	if err := unix.Access("/dev/fuse", unix.R_OK|unix.W_OK); err != nil {
		return fmt.Errorf("no permission to use /dev/fuse (%w): allow it with: sudo chmod 666 /dev/fuse", err)
	}
	for _, name := range []string{"fusermount3", "fusermount"} {
		if _, err := exec.LookPath(name); err == nil {
			return nil
		}
	}
	return errors.New("there is no fusermount3, with which users mount: install the package fuse3")
}
