//go:build !windows

package endpoint

import "syscall"

// absentErrnos are the failures of bind that say that the machine lacks the
// address or its whole family.
var absentErrnos = []error{syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT}

// errRefused says of a Unix socket that nobody accepts connections on it.
const errRefused = syscall.ECONNREFUSED
