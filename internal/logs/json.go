package logs

import (
	"context"
	"io"
	"log/slog"
)

// A jsonSink writes each message as a JSON object on one line: "time" or, with
// the monotonic clock, "us"; "level", "src" and "msg"; and the attributes.
type jsonSink struct {
	clock          clock
	stdout, stderr slog.Handler
}

func newJSONSink(s setting) *jsonSink {
	return &jsonSink{s.clock, newJSONHandler(s.stdout), newJSONHandler(s.stderr)}
}

func newJSONHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.Level(Debug),
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if l, ok := a.Value.Any().(slog.Level); ok && a.Key == slog.LevelKey {
				a.Value = slog.StringValue(Level(l).String())
			}
			return a
		},
	})
}

func (s *jsonSink) write(m *message) error {
	r := slog.Record{Level: slog.Level(m.level), Message: m.text}
	if s.clock.monotonic {
		r.AddAttrs(slog.Int64("us", s.clock.sinceStart(m.time)))
	} else {
		r.Time = m.time
	}
	r.AddAttrs(slog.String("src", m.source))
	r.AddAttrs(m.attrs...)
	if m.level >= App {
		return s.stdout.Handle(context.Background(), r)
	}
	return s.stderr.Handle(context.Background(), r)
}

func (s *jsonSink) close() error { return nil }
