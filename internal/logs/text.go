package logs

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A clock says when a message was written.
type clock struct {
	monotonic bool
	start     time.Time
}

// stamp returns date and time to the minute, or microseconds since the start.
func (c clock) stamp(t time.Time) string {
	if c.monotonic {
		return fmt.Sprintf("+%dus", c.sinceStart(t))
	}
	return t.Format("2006-01-02 15:04")
}

// sinceStart returns microseconds.
func (c clock) sinceStart(t time.Time) int64 { return t.Sub(c.start).Microseconds() }

// A textSink writes a message as one line for people: the text, then each
// attribute as KEY=VALUE.
type textSink struct {
	setting
	full bool // also date and time, source and level
}

func newTextSink(s setting, full bool) *textSink { return &textSink{s, full} }

func (s *textSink) write(m *message) error {
	w, color := s.stderr, s.colorStderr
	if m.level >= App {
		w, color = s.stdout, s.colorStdout
	}
	var b strings.Builder
	if s.full {
		fmt.Fprintf(&b, "%s %s [%s] ", s.clock.stamp(m.time), m.source, paint(m.level, color))
	} else if m.level < App {
		fmt.Fprintf(&b, "[%s] ", paint(m.level, color))
	}
	b.WriteString(line(m))
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *textSink) close() error { return nil }

// line returns the text and attributes of a message on one line. What comes
// from outside cannot end the line, nor steer a terminal.
func line(m *message) string {
	var b strings.Builder
	b.WriteString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, m.text))
	for _, a := range m.attrs {
		fmt.Fprintf(&b, " %s=%s", a.Key, quoteValue(a.Value))
	}
	return b.String()
}

// quoteValue quotes a value that could not be told from what is around it.
func quoteValue(v slog.Value) string {
	s := v.String()
	if v.Kind() == slog.KindTime { // nobody reads nanoseconds
		s = v.Time().Format(time.RFC3339)
	}
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || !unicode.IsPrint(r)
	}) < 0
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// colors are the terminal's numbers for levels that stand out.
var colors = map[Level]int{Error: 31, Warning: 33, Info: 34, Debug: 32}

// paint returns the word for a level, in color if so wished.
func paint(l Level, color bool) string {
	number := colors[l]
	if !color || number == 0 {
		return l.String()
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", number, l)
}
