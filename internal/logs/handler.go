package logs

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"
)

// A message is what a sink writes.
type message struct {
	time   time.Time
	level  Level
	source string
	text   string
	attrs  []slog.Attr // without groups: their names are before the keys
}

// A handler makes messages of slog's records. It is where passwords are taken
// out: nothing behind it sees one.
type handler struct {
	source *Source
	out    *output
	prefix string      // of the open groups, such as "a.b."
	attrs  []slog.Attr // of WithAttrs; redacted
}

var _ slog.Handler = (*handler)(nil)

// Enabled compares with the present level of the source.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= h.source.level.Level()
}

// Handle writes one message.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	m := message{
		time:   r.Time,
		level:  Level(r.Level),
		source: h.source.name,
		text:   Redact(r.Message),
		attrs:  slices.Clip(h.attrs),
	}
	r.Attrs(func(a slog.Attr) bool {
		m.attrs = flatten(m.attrs, h.prefix, a)
		return true
	})
	return h.out.write(&m)
}

// WithAttrs returns a handler whose messages have more attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Clip(h.attrs)
	for _, a := range attrs {
		with.attrs = flatten(with.attrs, h.prefix, a)
	}
	return &with
}

// WithGroup returns a handler that puts name before the keys to come.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}

// flatten appends an attribute, or those of a group, without passwords.
func flatten(to []slog.Attr, prefix string, a slog.Attr) []slog.Attr {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() == slog.KindAny {
		return to // slog's empty attribute
	}
	if v.Kind() != slog.KindGroup {
		return append(to, slog.Attr{Key: prefix + a.Key, Value: redactValue(v)})
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, a := range v.Group() {
		to = flatten(to, prefix, a)
	}
	return to
}

// redactValue returns a value without passwords. All but numbers, times and
// the like become text.
func redactValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(Redact(v.String()))
	case slog.KindAny:
		if u, ok := v.Any().(*url.URL); ok && u != nil {
			return slog.StringValue(Redact(u.String()))
		}
		return slog.StringValue(Redact(fmt.Sprint(v.Any())))
	}
	return v
}
