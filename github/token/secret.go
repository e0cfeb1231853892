// Package token finds the token with which the bridge speaks to GitHub
// (spec/github.md, section 7.3), and keeps it from being shown.
package token

import (
	"fmt"
	"log/slog"
	"strings"
)

// shown stands for a secret wherever one would be printed.
const shown = "[secret]"

// A Secret is a text that printing, logging and encoding do not show (GH-201).
// The zero value is no secret. Two secrets are equal, ==, if one is a copy of
// the other.
type Secret struct {
	text *string // a pointer, since fmt shows the fields of fields without asking
}

// NewSecret returns the secret of that text; "" is none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether s is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Hide returns text with each occurrence of the secret replaced, for words of
// others that may repeat it.
func (s Secret) Hide(text string) string {
	if s.IsZero() {
		return text
	}
	return strings.ReplaceAll(text, *s.text, shown)
}

// String returns a text that does not tell the secret.
func (s Secret) String() string { return shown }

// Format is String for all verbs of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, shown) }

// LogValue is String for package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(shown) }

// MarshalText is String for encodings, such as JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(shown), nil }
