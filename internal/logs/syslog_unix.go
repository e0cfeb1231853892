//go:build unix

package logs

import "log/syslog"

// facility is the part of the system that the messages belong to.
const facility = syslog.LOG_DAEMON

// A syslogLog writes to the system logger.
type syslogLog struct {
	w *syslog.Writer
}

// dialSyslog returns what connects to the local system logger under the name
// ident.
func dialSyslog(ident string) func() (systemLog, error) {
	return func() (systemLog, error) {
		w, err := syslog.New(facility, ident)
		if err != nil {
			return nil, err
		}
		return &syslogLog{w}, nil
	}
}

func (s *syslogLog) log(m *message) error {
	text := m.source + ": " + line(m)
	switch {
	case m.level >= App:
		return s.w.Notice(text)
	case m.level >= Error:
		return s.w.Err(text)
	case m.level >= Warning:
		return s.w.Warning(text)
	case m.level >= Info:
		return s.w.Info(text)
	}
	return s.w.Debug(text)
}

func (s *syslogLog) close() error { return s.w.Close() }
