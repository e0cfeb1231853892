package fuse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// helperTime is how long fusermount3 may take to mount.
const helperTime = 30 * time.Second

// attach mounts on dir if that takes the help of fusermount3, and returns what
// the server is told to serve: dir itself, which it mounts on, or the device of
// the mount. The library would do the same, but tell of failures elsewhere.
func attach(dir string, mo *gofuse.MountOptions) (at string, err error) {
	if os.Geteuid() == 0 {
		mo.DirectMountStrict = true
		return dir, nil
	}
	fd, err := fusermount(dir, options(mo))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("/dev/fd/%d", fd), nil
}

// options returns the options of a mount as fusermount3 takes them.
func options(mo *gofuse.MountOptions) string {
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`)
	list := append([]string{
		"fsname=" + escape.Replace(mo.FsName),
		"subtype=" + escape.Replace(mo.Name),
		fmt.Sprintf("max_read=%d", mo.MaxWrite),
	}, mo.Options...)
	if mo.AllowOther {
		list = append(list, "allow_other")
	}
	return strings.Join(list, ",")
}

// fusermount has the program of that name mount, and returns the device, which
// it sends over a socket.
func fusermount(dir, options string) (fd int, err error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	ctx, cancel := context.WithTimeout(context.Background(), helperTime)
	defer cancel()
	name := "fusermount3"
	if _, err := exec.LookPath(name); err != nil {
		name = "fusermount"
	}
	cmd := exec.CommandContext(ctx, name, "-o", options, "--", dir)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Env = append(os.Environ(), "_FUSE_COMMFD=3", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	theirs.Close() // so that ours ends, and need not be waited for
	switch text := strings.TrimSpace(string(out)); {
	case err != nil && text != "":
		return 0, errors.New(text)
	case err != nil:
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return receive(ours)
}

var errNoDevice = errors.New("fusermount3 sends no device")

// receive returns the file that comes over a socket.
func receive(f *os.File) (fd int, err error) {
	c, err := net.FileConn(f)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(helperTime))
	oob := make([]byte, syscall.CmsgSpace(4)) // of one file
	_, n, _, _, err := c.(*net.UnixConn).ReadMsgUnix(make([]byte, 4), oob)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoDevice, err)
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return 0, errNoDevice
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, errNoDevice
	}
	syscall.CloseOnExec(fds[0])
	return fds[0], nil
}
