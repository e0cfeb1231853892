package terminal

import (
	"strings"
	"unicode"
)

// A Color is how text is shown: the parameters of the sequence of ECMA-48 that
// selects it.
type Color string

// The colors.
const (
	Bold   Color = "1"
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
	Blue   Color = "34"
	Cyan   Color = "36"
)

// Paint returns text in a color if o is in color, and else as it is.
func (o *Output) Paint(c Color, text string) string {
	if !o.Color || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[m"
}

// Clean returns text that others wrote, such as the name of a file, for printing
// it: without what a terminal would take for a command, if o is one.
func (o *Output) Clean(text string) string {
	if !o.Terminal() {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
