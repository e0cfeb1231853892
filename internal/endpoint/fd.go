package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// An fd address is the number of a file descriptor that this process inherited.
type fd int

func parseFD(s string) (transport, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return nil, errors.New("use fd://N, where N is the number of a file descriptor")
	}
	return fd(n), nil
}

func (fd) dial(context.Context) (net.Conn, error) {
	return nil, errors.New("an inherited socket cannot be connected to by its number")
}

// firstActivated is the first descriptor that a service manager passes on.
const firstActivated = 3

// Activated returns the addresses of the sockets that a service manager such as
// systemd has opened for this process (sd_listen_fds(3)), and takes the
// variables that tell of them out of the environment, so that no child takes
// them for its own. It returns none if the variables are meant for another
// process.
func Activated() ([]Address, error) {
	pid, n := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	count, err := strconv.ParseUint(n, 10, 10)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS=%q: not a number of sockets", n)
	}
	as := make([]Address, count)
	for i := range as {
		d := firstActivated + i
		as[i] = Address{fmt.Sprintf("fd://%d", d), fd(d)}
	}
	return as, nil
}
