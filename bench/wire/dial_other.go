//go:build !linux

package wire

// DialBlocking is Dial here.
func DialBlocking(path string, msize uint32, aname string) (*Conn, error) {
	return Dial(path, msize, aname)
}
