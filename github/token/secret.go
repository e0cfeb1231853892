// Package token finds the token with which the bridge speaks to GitHub
// (spec/github.md, section 7.3), and keeps it from being shown.
package token

import (
	"fmt"
	"log/slog"
	"strings"
	"unique"
)

// shown stands for a secret wherever one would be printed.
const shown = "[secret]"

// A Secret is a text that printing, logging and encoding do not show (GH-201).
// The zero value is no secret. Secrets of the same text are equal, ==.
type Secret struct {
	// text is a handle, since fmt shows the fields of fields without asking
	// them, but follows no pointers there.
	text unique.Handle[string]
}

// NewSecret returns the secret of that text; "" is none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the text, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether s is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Hide returns text with each occurrence of the secret replaced, for words of
// others that may repeat it.
func (s Secret) Hide(text string) string {
	if s.IsZero() {
		return text
	}
	return strings.ReplaceAll(text, s.Reveal(), shown)
}

// String returns a text that does not tell the secret.
func (s Secret) String() string { return shown }

// Format is String for all verbs of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, shown) }

// LogValue is String for package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(shown) }

// MarshalText is String for encodings, such as JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(shown), nil }
