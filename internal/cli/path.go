package cli

import (
	"unicode/utf8"

	"github.com/datakit/datakit"
)

// A pathJSON is what is printed of a path.
type pathJSON struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"path_base64,omitempty"` // only if Path is not UTF-8
}

func pathOf(p datakit.Path) pathJSON { return pathJSON{p.String(), bytesOf(p.String())} }

// bytesOf returns what JSON cannot tell of s, or nil if it can.
func bytesOf(s string) []byte {
	if utf8.ValidString(s) {
		return nil
	}
	return []byte(s)
}
