package endpoint

import "golang.org/x/sys/windows"

// absentErrnos are the failures of bind that say that the machine lacks the
// address or its whole family.
var absentErrnos = []error{windows.WSAEADDRNOTAVAIL, windows.WSAEAFNOSUPPORT}

// errRefused says of a Unix socket that nobody accepts connections on it.
const errRefused = windows.WSAECONNREFUSED
