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
	"golang.org/x/sys/unix"

	"github.com/datakit/datakit/internal/mountpoint"
)

// helperTime is how long fusermount3 may take to mount.
const helperTime = 30 * time.Second

// A device is the kernel's end of a mount.
type device int

// attach mounts on dir and returns what the server is told to serve, and the
// device, which has to be closed. The library would mount as well, but tell of
// failures elsewhere, and keep the device to itself.
func attach(dir string, mo *gofuse.MountOptions) (at string, d device, err error) {
	var fd int
	if os.Geteuid() == 0 {
		fd, err = mount(dir, mo)
	} else {
		fd, err = fusermount(dir, options(mo))
	}
	if err != nil {
		return "", 0, err
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		mountpoint.Detach(dir)
		return "", 0, err
	}
	return fmt.Sprintf("/dev/fd/%d", fd), device(own), nil
}

// dead reports whether the kernel has ended the mount.
func (d device) dead() bool {
	fds := []unix.PollFd{{Fd: int32(d)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLERR != 0
}

func (d device) close() { unix.Close(int(d)) }

// mount mounts as an administrator may, and returns the device (fuse(4)).
func mount(dir string, mo *gofuse.MountOptions) (fd int, err error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, err
	}
	// No program that is started later may have it: it would keep the mount alive.
	if fd, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return 0, err
	}
	list := append([]string{
		fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d", fd, st.Mode&unix.S_IFMT, os.Geteuid(), os.Getegid()),
	}, shared(mo)...)
	err = unix.Mount(mo.FsName, dir, "fuse."+mo.Name, unix.MS_NOSUID|unix.MS_NODEV, strings.Join(list, ","))
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// shared returns the options of a mount that the kernel and fusermount3 call the
// same.
func shared(mo *gofuse.MountOptions) []string {
	list := append([]string{fmt.Sprintf("max_read=%d", mo.MaxWrite)}, mo.Options...)
	if mo.AllowOther {
		list = append(list, "allow_other")
	}
	return list
}

// options returns the options of a mount as fusermount3 takes them.
func options(mo *gofuse.MountOptions) string {
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`)
	list := []string{"fsname=" + escape.Replace(mo.FsName), "subtype=" + escape.Replace(mo.Name)}
	return strings.Join(append(list, shared(mo)...), ",")
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
