package logs

import (
	"io"

	"github.com/datakit/datakit/internal/terminal"
)

// colored decides whether what is written to w is in color. Without a word of
// the user it is if w is a terminal, and the environment says nothing against it
// (https://no-color.org).
func colored(when string, w io.Writer) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	return terminal.New(w).Color
}
