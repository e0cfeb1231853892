package wire

import "net"

// Dial connects to the Unix socket at path.
func Dial(path string, msize uint32, aname string) (*Conn, error) {
	nc, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	return New(nc, msize, aname)
}
