package datakit

import (
	"context"
	"errors"
	"fmt"

	contract "github.com/datakit/datakit"
	"github.com/datakit/datakit/record"
)

// A Version counts the states of a record. Later ones are greater.
type Version = record.Version

// InitialVersion is the version of a record that was not waited for, and of a
// field that has not changed since it was defined.
const InitialVersion = record.InitialVersion

// A Record is a set of fields, which are configuration in files below one
// directory of several branches. Package record tells more; this is the same
// with the names of old. Methods without a context end with the client.
type Record struct {
	r *record.Record
	c *Client
}

// NewRecord returns a record without fields, with the values in the first of
// the branches lookupB that has one, the defaults in defaultsB and a copy of
// what is in effect in stateB. ctx is for the call only. Close the record.
func NewRecord(ctx context.Context, client *Client, lookupB []string, defaultsB, stateB string, path []string) (*Record, error) {
	dir, err := contract.NewPath(path...)
	if err != nil {
		return nil, err
	}
	r, err := record.Open(ctx, client.db, record.Config{
		Lookup: lookupB, Defaults: defaultsB, State: stateB, Path: dir, Log: client.log,
	})
	if err != nil {
		return nil, err
	}
	return &Record{r, client}, nil
}

// Wait waits until something of the record has changed since the fields were
// last updated, and updates them. The first Wait need not wait.
func (r *Record) Wait(ctx context.Context) error { return r.r.Wait(ctx) }

// Seal gives the fields their values, after all of them are defined.
func (r *Record) Seal(ctx context.Context) error { return r.r.Seal(ctx) }

// Upgrade replaces all defaults by those of the fields, if schemaVersion is
// greater than the value of the field schema-version, and updates the fields.
// What was set by users stays in effect.
func (r *Record) Upgrade(ctx context.Context, schemaVersion int) error {
	return r.r.Upgrade(ctx, schemaVersion)
}

// Close ends the record and a Wait that waits.
func (r *Record) Close(ctx context.Context) error { return r.r.Close() }

//lint:ignore ST1005 programs know the text
var errLengths = errors.New("Length of fields and values is not equal")

// SetMultiple sets each of the fields to the value of the same index in one
// commit, whose message is the description.
func (r *Record) SetMultiple(description string, fields []*StringField, values []string) error {
	if len(fields) != len(values) {
		return &contract.Error{Op: "set", Kind: contract.Invalid, Err: errLengths}
	}
	settings := make([]record.Setting, len(fields))
	for i, f := range fields {
		settings[i] = f.f.To(values[i])
	}
	return r.r.Set(context.Background(), description, settings...)
}

// defined writes the default of a field that has just been defined. The next
// Seal or Wait tries again, and returns it, if that fails.
func (r *Record) defined(key string) {
	if err := r.r.WriteDefaults(context.Background()); err != nil {
		r.c.log.Error(fmt.Sprintf("default of %s: %v", key, err))
	}
}

// A StringRefField has a text without white space at its ends, or nil.
type StringRefField struct{ f *record.Field[*string] }

// StringRefField defines a field of which value is the default. A nil default
// is none.
func (r *Record) StringRefField(key string, value *string) *StringRefField {
	defer r.defined(key)
	return &StringRefField{record.Optional(r.r, key, value)}
}

// Get returns the value and the version in which it became that.
func (f *StringRefField) Get() (*string, Version) { return f.f.Get() }

// Set sets the value in the first lookup branch, where nil removes it.
func (f *StringRefField) Set(description string, value *string) error {
	return f.f.Set(context.Background(), description, value)
}

// HasChanged reports whether the value has changed since version.
func (f *StringRefField) HasChanged(version Version) bool { return f.f.HasChanged(version) }

// A StringField has a text.
type StringField struct{ f *record.Field[string] }

// StringField defines a field of which value is the default.
func (r *Record) StringField(key, value string) *StringField {
	defer r.defined(key)
	return &StringField{record.String(r.r, key, value)}
}

// Get returns the value and the version in which it became that.
func (f *StringField) Get() (string, Version) { return f.f.Get() }

// Set sets the value in the first lookup branch.
func (f *StringField) Set(description, value string) error {
	return f.f.Set(context.Background(), description, value)
}

// HasChanged reports whether the value has changed since version.
func (f *StringField) HasChanged(version Version) bool { return f.f.HasChanged(version) }

// An IntField has a number.
type IntField struct{ f *record.Field[int] }

// IntField defines a field of which value is the default.
func (r *Record) IntField(key string, value int) *IntField {
	defer r.defined(key)
	return &IntField{record.Int(r.r, key, value)}
}

// Get returns the value and the version in which it became that.
func (f *IntField) Get() (int, Version) { return f.f.Get() }

// Set sets the value in the first lookup branch.
func (f *IntField) Set(description string, value int) error {
	return f.f.Set(context.Background(), description, value)
}

// HasChanged reports whether the value has changed since version.
func (f *IntField) HasChanged(version Version) bool { return f.f.HasChanged(version) }

// A BoolField has true or false.
type BoolField struct{ f *record.Field[bool] }

// BoolField defines a field of which value is the default.
func (r *Record) BoolField(key string, value bool) *BoolField {
	defer r.defined(key)
	return &BoolField{record.Bool(r.r, key, value)}
}

// Get returns the value and the version in which it became that.
func (f *BoolField) Get() (bool, Version) { return f.f.Get() }

// Set sets the value in the first lookup branch.
func (f *BoolField) Set(description string, value bool) error {
	return f.f.Set(context.Background(), description, value)
}

// HasChanged reports whether the value has changed since version.
func (f *BoolField) HasChanged(version Version) bool { return f.f.HasChanged(version) }
