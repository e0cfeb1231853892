package record

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A Field is one key of a record, as a value of type T. Values must not be
// modified if T has pointers.
type Field[T any] struct {
	r      *Record
	slot   *slot // nil if the definition was malformed
	bad    error // then why
	def    T
	parse  func(content) (T, error)
	format func(T) (content, error)
	now    atomic.Pointer[state[T]]
}

// A state is what a field is from one update to another.
type state[T any] struct {
	value   T
	version Version
	err     error
}

// String defines a field whose value is the content as it is.
//
// Like all that define a field it gives the field its default until the next
// Seal or Wait, which write the default to the branch of defaults. If a key is
// defined again, the default given last is written. A key that cannot be one is
// an error of Seal and Wait; the field then keeps its default.
func String(r *Record, key, def string) *Field[string] {
	return define(r, key, def,
		func(s string) (string, error) { return s, nil },
		func(s string) (string, error) { return s, nil })
}

// Int defines a field of a decimal number.
func Int(r *Record, key string, def int) *Field[int] {
	return define(r, key, def, trimmed(strconv.Atoi), func(n int) (string, error) { return strconv.Itoa(n), nil })
}

// Bool defines a field of "true" or "false", or what else strconv.ParseBool
// understands.
func Bool(r *Record, key string, def bool) *Field[bool] {
	return define(r, key, def, trimmed(strconv.ParseBool), func(b bool) (string, error) { return strconv.FormatBool(b), nil })
}

// Duration defines a field of a duration such as "1m30s".
func Duration(r *Record, key string, def time.Duration) *Field[time.Duration] {
	return define(r, key, def, trimmed(time.ParseDuration), func(d time.Duration) (string, error) { return d.String(), nil })
}

// Text defines a field of any type that has a text encoding, such as
// netip.Addr or time.Time:
//
//	addr := record.Text(r, "addr", netip.MustParseAddr("127.0.0.1"))
func Text[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}](r *Record, key string, def T) *Field[T] {
	return define(r, key, def,
		trimmed(func(s string) (v T, err error) { return v, P(&v).UnmarshalText([]byte(s)) }),
		func(v T) (string, error) {
			b, err := P(&v).MarshalText()
			return string(b), err
		})
}

// Optional defines a field whose value is nil if there is none, and else the
// content without white space at both ends. Setting it to nil removes the key,
// and so does a nil default in the branch of defaults.
func Optional(r *Record, key string, def *string) *Field[*string] {
	f := &Field[*string]{def: def}
	f.parse = func(c content) (*string, error) {
		if !c.set {
			return nil, nil
		}
		s := strings.TrimSpace(c.text)
		return &s, nil
	}
	f.format = func(s *string) (content, error) {
		if s == nil {
			return content{}, nil
		}
		return textOf(*s), nil
	}
	return f.bind(r, key)
}

// define makes a field that has its default where there is no value.
func define[T any](r *Record, key string, def T, parse func(string) (T, error), format func(T) (string, error)) *Field[T] {
	f := &Field[T]{def: def}
	f.parse = func(c content) (T, error) {
		if !c.set {
			return def, nil
		}
		return parse(c.text)
	}
	f.format = func(v T) (content, error) {
		s, err := format(v)
		return content{s, err == nil}, err
	}
	return f.bind(r, key)
}

// trimmed has parse do without white space at both ends, which people and
// their shells leave.
func trimmed[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (T, error) { return parse(strings.TrimSpace(s)) }
}

// bind makes f a field of r.
func (f *Field[T]) bind(r *Record, key string) *Field[T] {
	f.r = r
	f.now.Store(&state[T]{value: f.def})
	c, err := f.format(f.def)
	if err != nil {
		err = invalidf("define field", "default of %q: %w", key, err)
	} else {
		f.slot, err = r.newSlot(key, c)
	}
	if f.bad = err; err == nil {
		f.slot.take = f.take
	}
	r.define(f.slot, err)
	return f
}

// take is slot.take.
func (f *Field[T]) take(c content, v Version) {
	s := &state[T]{version: v}
	if s.value, s.err = f.parse(c); s.err != nil {
		s.value = f.def
		s.err = invalid("parse "+string(f.slot.path), fmt.Errorf("%q: %w", brief(c.text), s.err))
		f.r.log.Warn("a value cannot be understood; its default is used", "error", s.err)
	}
	f.now.Store(s)
}

// brief cuts a text so that it can be shown.
func brief(s string) string {
	const limit = 100
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}

// Value returns the value as of the last update.
func (f *Field[T]) Value() T { return f.now.Load().value }

// Get returns the value as of the last update, and the version in which it
// became that.
func (f *Field[T]) Get() (T, Version) {
	s := f.now.Load()
	return s.value, s.version
}

// HasChanged reports whether the value has changed since version v.
func (f *Field[T]) HasChanged(v Version) bool { return f.now.Load().version > v }

// Err returns why the content could not be understood, so that the value is the
// default, and nil if it could.
func (f *Field[T]) Err() error { return f.now.Load().err }
