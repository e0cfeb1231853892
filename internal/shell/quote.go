// Package shell has how words are written for a shell.
package shell

import "strings"

// Quote returns a word between single quotes, as shells read it, and csh on a
// line that is typed.
func Quote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

// Word is Quote for people to read: without quotes if all of s means itself.
func Word(s string) string {
	if s == "" || strings.ContainsFunc(s, special) {
		return Quote(s)
	}
	return s
}

// special reports whether a character may mean something else than itself.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-+,:@%", r)
}
