package datakit

import (
	"net/url"
	"strings"
)

// splitFragment takes "#NAME" off the end of a URL; NAME overrides branch.
func splitFragment(rawURL, branch string) (string, string) {
	if i := strings.LastIndexByte(rawURL, '#'); i >= 0 && i+1 < len(rawURL) {
		return rawURL[:i], rawURL[i+1:]
	}
	return rawURL, branch
}

// redact returns a URL without the password in it.
func redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		_, rest, found := strings.Cut(rawURL, "@")
		if found {
			return rest
		}
		return rawURL
	}
	return u.Redacted()
}
