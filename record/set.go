package record

import (
	"context"

	"github.com/datakit/datakit"
)

// A Setting is a value for a field. Record.Set makes it so.
type Setting struct {
	r   *Record
	key datakit.Path
	change
	err error
}

// To returns the setting of f to v.
func (f *Field[T]) To(v T) Setting {
	if f.bad != nil {
		return Setting{r: f.r, err: f.bad}
	}
	c, err := f.format(v)
	if err != nil {
		err = invalidf("set "+string(f.slot.path), "%w", err)
	}
	return Setting{f.r, f.slot.key, change{f.slot.path, c}, err}
}

// Unset returns the setting that removes the value of the first lookup branch,
// so that one of the others is in effect.
func (f *Field[T]) Unset() Setting {
	if f.bad != nil {
		return Setting{r: f.r, err: f.bad}
	}
	return Setting{f.r, f.slot.key, change{path: f.slot.path}, nil}
}

// Set writes a value to the first lookup branch, for the reason that msg says.
// The field itself changes with the next Wait or Seal.
func (f *Field[T]) Set(ctx context.Context, msg string, v T) error {
	s := f.To(v)
	return f.r.Set(ctx, "Unconditionally set "+steps(s.key)+": "+msg, s)
}

// Set writes values of any number of fields to the first lookup branch in one
// commit with the message msg:
//
//	r.Set(ctx, "Make it bigger", cpus.To(8), name.To("big"), idle.Unset())
//
// If it fails nothing is written; the error is datakit.Invalid for a value that
// has no text, or a field of another record.
func (r *Record) Set(ctx context.Context, msg string, settings ...Setting) error {
	changes := make([]change, len(settings))
	for i, s := range settings {
		switch {
		case s.r != r:
			return invalidf("set", "%s: the field of another record", s.key)
		case s.err != nil:
			return s.err
		}
		changes[i] = s.change
	}
	if len(changes) == 0 {
		return nil
	}
	ctx, done := r.living(ctx)
	return done(r.db.Branch(r.cfg.Lookup[0]).Update(ctx, msg, func(tx *datakit.Tx) error {
		return write(ctx, tx, changes)
	}))
}
