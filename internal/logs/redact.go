package logs

import (
	"regexp"
	"strings"
)

// redacted stands for a password.
const redacted = "xxxxx"

// inText finds the beginning of each URL in a text, up to its authority, and
// the rest of it.
var inText = regexp.MustCompile("([a-zA-Z][a-zA-Z0-9+.-]*://)([^\\s\"'`<>]+)")

// Redact returns a text with the password of each URL in it replaced. The user
// of an http URL that has no password is replaced too: such a "user" is an
// access token.
func Redact(s string) string {
	if !strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return s
	}
	return inText.ReplaceAllStringFunc(s, func(u string) string {
		parts := inText.FindStringSubmatch(u)
		return parts[1] + redactRest(parts[2], strings.HasPrefix(strings.ToLower(parts[1]), "http"))
	})
}

// redactRest redacts what follows "SCHEME://". A password may hold "@" and, in
// URLs that nothing accepts but errors quote, "/": it is better to redact a bit
// of a path than to miss a bit of a password.
func redactRest(s string, tokens bool) string {
	authority, _, _ := strings.Cut(s, "/")
	at := strings.LastIndexByte(authority, '@')
	colon := strings.IndexByte(authority, ':')
	if at < 0 && colon >= 0 && !isPort(authority[colon+1:]) {
		at = strings.LastIndexByte(s, '@')
	}
	switch {
	case at < 0:
		return s
	case colon >= 0 && colon < at:
		return s[:colon+1] + redacted + s[at:]
	case tokens:
		return redacted + s[at:]
	}
	return s
}

// isPort reports whether what follows a host's colon can be a port.
func isPort(s string) bool {
	return strings.Trim(s, "0123456789") == "" || strings.Contains(s, "]")
}
