package logs

import (
	"io"
	"os"
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
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f)
}
