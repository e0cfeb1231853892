// Package terminal is what programs print for people: in color, in tables as
// wide as the screen, and with a line that tells how far they are. What goes
// to a file or to another program has none of it.
package terminal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"syscall"
)

// ErrClosed is found by errors.Is in the error of a write when what the output
// goes to has ended, as "head" does after some lines.
var ErrClosed = errors.New("nobody reads the output")

// An Output is where a program prints. It keeps what is written until Flush.
// Its methods are for one goroutine.
type Output struct {
	Width int  // of the screen in columns; 0 if this is no terminal
	Color bool // whether to use color

	w      *bufio.Writer
	before func() // called before anything appears; see OnOutput
}

// New returns an output to w. It is in color if w is a terminal, unless NO_COLOR
// is set (https://no-color.org) or TERM is "dumb".
func New(w io.Writer) *Output {
	o := &Output{Width: Width(w)}
	o.Color = o.Width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	o.w = bufio.NewWriterSize(sink{o, w}, 32<<10)
	return o
}

// Width returns how many columns a terminal has, which is an *os.File, and 0 for
// whatever is none.
func Width(terminal any) int {
	f, ok := terminal.(*os.File)
	if !ok {
		return 0
	}
	return width(f)
}

// Terminal reports whether o is one.
func (o *Output) Terminal() bool { return o.Width > 0 }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) { return o.w.Write(p) }

// WriteString implements io.StringWriter.
func (o *Output) WriteString(s string) (int, error) { return o.w.WriteString(s) }

// Flush prints what was written.
func (o *Output) Flush() error { return o.w.Flush() }

// OnOutput has f called, by Write or Flush, before something is printed. Nil
// ends that.
func (o *Output) OnOutput(f func()) { o.before = f }

// A sink is the end of an Output.
type sink struct {
	o *Output
	w io.Writer
}

// Write implements io.Writer.
func (s sink) Write(p []byte) (int, error) {
	if s.o.before != nil {
		s.o.before()
	}
	n, err := s.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		err = ErrClosed
	}
	return n, err
}
