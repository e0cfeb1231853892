package p9

import "golang.org/x/sys/unix"

// hangUpEvents tell that the other end sends nothing more.
const hangUpEvents = unix.POLLRDHUP
