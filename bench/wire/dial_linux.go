package wire

import (
	"os"

	"golang.org/x/sys/unix"
)

// DialBlocking is Dial with a socket whose reads and writes block their
// thread, which takes less of the client's time than waiting for events. It is
// for few connections at a time, and Close does not end the waiting for a
// reply.
func DialBlocking(path string, msize uint32, aname string) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	return New(os.NewFile(uintptr(fd), path), msize, aname)
}
