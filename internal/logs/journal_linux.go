package logs

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// journalSocket is where systemd-journald receives messages.
const journalSocket = "/run/systemd/journal/socket"

// maxJournalText keeps a message well within what a datagram can hold.
const maxJournalText = 48 << 10

// A journal writes to systemd-journald in its native protocol: a datagram for
// each message, with a line FIELD=VALUE for each field.
type journal struct {
	conn *net.UnixConn
	to   *net.UnixAddr
}

// dialJournal opens a socket that stays unconnected, so that it goes on working
// when journald has been started again.
func dialJournal(path string) (systemLog, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &journal{conn, &net.UnixAddr{Name: path, Net: "unixgram"}}, nil
}

// priority returns the level as a number of syslog(3).
func priority(l Level) int {
	switch {
	case l >= App:
		return 5
	case l >= Error:
		return 3
	case l >= Warning:
		return 4
	case l >= Info:
		return 6
	}
	return 7
}

func (j *journal) log(m *message) error {
	text := line(m)
	text = strings.ToValidUTF8(text[:min(len(text), maxJournalText)], "?")
	_, err := j.conn.WriteToUnix(fmt.Appendf(nil,
		"PRIORITY=%d\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=%s\nMESSAGE=%s\n",
		priority(m.level), m.source, text), j.to)
	return err
}

func (j *journal) close() error { return j.conn.Close() }
