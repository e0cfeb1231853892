//go:build !windows

package endpoint

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// listen takes the descriptor over: it is closed, and the listener has a copy
// that children do not inherit.
func (d fd) listen(context.Context) ([]net.Listener, error) {
	accepts, err := syscall.GetsockoptInt(int(d), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return nil, os.NewSyscallError("getsockopt", err)
	}
	if accepts == 0 {
		return nil, errors.New("the socket does not listen")
	}
	f := os.NewFile(uintptr(d), "inherited socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}
