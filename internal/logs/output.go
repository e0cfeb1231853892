package logs

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// An output writes messages, one at a time.
type output struct {
	count func(level, source string) // may be nil
	now   func() time.Time

	mu   sync.Mutex // guards sink
	sink sink
}

// A sink writes messages in one form to one place. Its methods are not called
// concurrently.
type sink interface {
	write(m *message) error
	close() error
}

// A setting is what a destination is made from.
type setting struct {
	stdout, stderr           io.Writer
	colorStdout, colorStderr bool
	clock                    clock
}

// newSink returns what writes to a destination that CheckOptions lets pass.
func newSink(destination string, s setting) (sink, error) {
	switch destination {
	case "", "quiet":
		return newTextSink(s, false), nil
	case "timestamp", "stderr":
		return newTextSink(s, true), nil
	case "json":
		return newJSONSink(s), nil
	}
	log, err := systemLogs[destination]()
	if err != nil {
		return nil, fmt.Errorf("log destination %s: %w", destination, err)
	}
	return &systemSink{log, newTextSink(s, false)}, nil
}

// Destinations returns the words for Options.Destination. The last four are the
// logs of some systems; systemLogs has those of this one.
func Destinations() []string {
	return []string{"quiet", "timestamp", "stderr", "json", "syslog", "journald", "eventlog", "asl"}
}

// CheckOptions reports what is wrong with opts, which New would refuse too,
// without opening anything.
func CheckOptions(opts Options) error {
	all := Destinations()
	dest := slices.Index(all, opts.Destination)
	switch {
	case opts.Destination != "" && dest < 0:
		return fmt.Errorf("%q: the log destination is one of %s", opts.Destination, strings.Join(all, ", "))
	case dest >= len(all)-4 && systemLogs[opts.Destination] == nil:
		return fmt.Errorf("log destination %s does not exist on this system", opts.Destination)
	case !slices.Contains([]string{"", "auto", "always", "never"}, opts.Color):
		return fmt.Errorf("%q: colors are auto, always or never", opts.Color)
	case !slices.Contains([]string{"", "posix", "monotonic"}, opts.Clock):
		return fmt.Errorf("%q: the log clock is posix or monotonic", opts.Clock)
	}
	return nil
}

func newOutput(opts Options) (*output, error) {
	if err := CheckOptions(opts); err != nil {
		return nil, err
	}
	if opts.now == nil {
		opts.now = time.Now
	}
	s := setting{
		stdout:      opts.Stdout,
		stderr:      opts.Stderr,
		colorStdout: colored(opts.Color, opts.Stdout),
		colorStderr: colored(opts.Color, opts.Stderr),
		clock:       clock{monotonic: opts.Clock == "monotonic", start: opts.now()},
	}
	sink, err := newSink(opts.Destination, s)
	if err != nil {
		return nil, err
	}
	return &output{count: opts.Count, now: opts.now, sink: sink}, nil
}

func (o *output) write(m *message) error {
	if o.count != nil {
		o.count(m.level.String(), m.source)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	m.time = o.now()
	return o.sink.write(m)
}

// A systemSink writes to a log of the system, and what is for whoever started
// the program to standard output as well.
type systemSink struct {
	systemLog
	app sink
}

// A systemLog is a log that the system keeps.
type systemLog interface {
	log(m *message) error
	close() error
}

func (s *systemSink) write(m *message) error {
	if m.level >= App {
		s.app.write(m)
	}
	return s.log(m)
}
