//go:build !unix

package p9

import "net"

// hungUp reports nothing, as this system does not tell.
func hungUp(net.Conn) bool { return false }
