// Package patch shows how files differ, line by line, in the format of git diff
// that git apply and patch understand.
package patch

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// MaxSize is the length in bytes of the longest file that is compared line by
// line.
const MaxSize = 8 << 20

// A Side is a file before or after a change.
type Side struct {
	Mode string // as Git writes it, such as "100644"; empty if there is no file
	Data []byte // what is in it, or the target if it is a link
	Size int64  // its length, which may be that of more than Data has if it is above MaxSize
}

// A File is a file that differs. Its sides are both files, or both links, or
// one of them is absent.
type File struct {
	Path     string
	Old, New Side
}

// Binary reports whether the sides are not to be compared line by line.
func (f *File) Binary() bool { return f.Old.binary() || f.New.binary() }

// sniffed is how much of a file is looked at to tell whether it is text.
const sniffed = 8000

func (s *Side) binary() bool {
	return s.Size > MaxSize || bytes.IndexByte(s.Data[:min(len(s.Data), sniffed)], 0) >= 0
}

// Count returns how many lines of text were added and removed.
func (f *File) Count() (added, removed int) {
	if f.Binary() {
		return 0, 0
	}
	for _, s := range diff(lines(f.Old.Data), lines(f.New.Data)) {
		added += s.b1 - s.b0
		removed += s.a1 - s.a0
	}
	return added, removed
}

// lines returns the lines of text, with their ends.
func lines(text []byte) (out []string) {
	for line := range strings.Lines(string(text)) {
		out = append(out, line)
	}
	return out
}

// A Kind is what a line of a patch is.
type Kind int

// The kinds of lines.
const (
	Header Kind = iota
	Hunk
	Context
	Added
	Removed
)

// A Style changes how a line, without its end, is printed.
type Style func(k Kind, line string) string

// Plain prints lines as they are.
func Plain(_ Kind, line string) string { return line }

// Write writes the patch of a file.
func (f *File) Write(w io.Writer, style Style) error {
	p := &printer{w: w, style: style}
	f.header(p)
	switch {
	case !f.Binary():
		f.hunks(p)
	case f.Old.Mode != "" && f.New.Size <= MaxSize && bytes.Equal(f.Old.Data, f.New.Data): // another mode
	default:
		p.line(Header, "Binary files "+f.Old.name("a/"+f.Path)+" and "+f.New.name("b/"+f.Path)+" differ")
	}
	return p.err
}

// name returns how a patch calls a side of the path.
func (s *Side) name(path string) string {
	if s.Mode == "" {
		return "/dev/null"
	}
	return quote(path)
}

// quote returns a path as Git writes it: in quotes if it has characters that
// would be taken for something else.
func quote(path string) string {
	if !strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return path
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(path) {
		switch c := path[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (f *File) header(p *printer) {
	p.line(Header, "diff --git "+quote("a/"+f.Path)+" "+quote("b/"+f.Path))
	switch {
	case f.Old.Mode == "":
		p.line(Header, "new file mode "+f.New.Mode)
	case f.New.Mode == "":
		p.line(Header, "deleted file mode "+f.Old.Mode)
	case f.Old.Mode != f.New.Mode:
		p.line(Header, "old mode "+f.Old.Mode)
		p.line(Header, "new mode "+f.New.Mode)
	}
}

// context is how many equal lines are shown around those that differ.
const context = 3

func (f *File) hunks(p *printer) {
	a, b := lines(f.Old.Data), lines(f.New.Data)
	spans := diff(a, b)
	if len(spans) == 0 {
		return
	}
	// Git ends a name with a space in it with a tab, for patch.
	end := ""
	if strings.Contains(f.Path, " ") {
		end = "\t"
	}
	p.line(Header, "--- "+f.Old.name("a/"+f.Path)+end)
	p.line(Header, "+++ "+f.New.name("b/"+f.Path)+end)
	for len(spans) > 0 {
		n := 1
		for n < len(spans) && spans[n].a0-spans[n-1].a1 <= 2*context {
			n++
		}
		p.hunk(a, b, spans[:n])
		spans = spans[n:]
	}
}

// A printer writes lines until one fails.
type printer struct {
	w     io.Writer
	style Style
	err   error
}

func (p *printer) line(k Kind, line string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, p.style(k, line)+"\n")
	}
}

// hunk writes spans that are close to each other.
func (p *printer) hunk(a, b []string, spans []span) {
	first, last := spans[0], spans[len(spans)-1]
	before := min(context, first.a0)
	after := min(context, len(a)-last.a1)
	a0, a1 := first.a0-before, last.a1+after
	b0, b1 := first.b0-before, last.b1+after
	p.line(Hunk, fmt.Sprintf("@@ -%s +%s @@", lineRange(a0, a1), lineRange(b0, b1)))
	at := a0
	for _, s := range spans {
		p.text(Context, " ", a[at:s.a0])
		p.text(Removed, "-", a[s.a0:s.a1])
		p.text(Added, "+", b[s.b0:s.b1])
		at = s.a1
	}
	p.text(Context, " ", a[at:a1])
}

// lineRange returns lines from to before to, which count from 0, as a hunk says
// it.
func lineRange(from, to int) string {
	switch to - from {
	case 0:
		return strconv.Itoa(from) + ",0"
	case 1:
		return strconv.Itoa(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// text writes lines of a file.
func (p *printer) text(k Kind, mark string, lines []string) {
	for _, line := range lines {
		text, ended := strings.CutSuffix(line, "\n")
		p.line(k, mark+text)
		if !ended {
			p.line(Context, `\ No newline at end of file`)
		}
	}
}
