package logs

import "golang.org/x/sys/windows/svc/eventlog"

var systemLogs = map[string]func() (systemLog, error){
	"eventlog": func() (systemLog, error) {
		l, err := eventlog.Open("Docker.exe")
		if err != nil {
			return nil, err
		}
		return eventLog{l}, nil
	},
}

// An eventLog writes to the Windows event log.
type eventLog struct {
	l *eventlog.Log
}

// eventID is the number of all events: the program does not tell them apart.
const eventID = 1

func (e eventLog) log(m *message) error {
	text := m.source + ": " + line(m)
	switch {
	case m.level == Error:
		return e.l.Error(eventID, text)
	case m.level == Warning:
		return e.l.Warning(eventID, text)
	}
	return e.l.Info(eventID, text)
}

func (e eventLog) close() error { return e.l.Close() }
