package datakit

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// A Path leads from the root of a tree to one of its entries: steps joined by
// "/", without one at either end. The zero Path is the root itself. A Path is
// a value: it can be compared with ==, used as a key, and written as a
// constant. One made by conversion may be malformed; every method that takes a
// Path checks it and fails with Invalid.
type Path string

// Root is the empty Path.
const Root Path = ""

// ParsePath cuts text at every "/" into a Path of at least one step. The error
// is Invalid for the empty text and for empty, "." and ".." steps.
func ParsePath(text string) (Path, error) {
	if text == "" {
		return Root, badStep("")
	}
	return Path(text), Path(text).Check()
}

// NewPath joins steps, none of which may contain "/". No steps make the Root.
func NewPath(steps ...string) (Path, error) {
	for _, s := range steps {
		if strings.Contains(s, "/") {
			return Root, invalid(fmt.Sprintf("'/' in path step %q", s))
		}
		if err := checkStep(s); err != nil {
			return Root, err
		}
	}
	return Path(strings.Join(steps, "/")), nil
}

// Check reports with an error of kind Invalid that p is malformed: that it has
// an empty step, or one that is "." or "..".
func (p Path) Check() error {
	for s := range p.Steps() {
		if err := checkStep(s); err != nil {
			return err
		}
	}
	return nil
}

func checkStep(s string) error {
	if s == "" || s == "." || s == ".." {
		return badStep(s)
	}
	return nil
}

func badStep(s string) error { return invalid("Invalid path component " + strconv.Quote(s)) }

// Steps yields the steps of p from the first to the last.
func (p Path) Steps() iter.Seq[string] {
	return func(yield func(string) bool) { // small, so that ranging over it allocates nothing
		rest, more := string(p), p != Root
		for more {
			var step string
			step, rest, more = strings.Cut(rest, "/")
			if !yield(step) {
				return
			}
		}
	}
}

// String returns the steps joined by "/".
func (p Path) String() string { return string(p) }

// Base returns the last step, or "" for the Root.
func (p Path) Base() string { return string(p)[strings.LastIndexByte(string(p), '/')+1:] }

// Dir returns p without its last step. The Dir of the Root is the Root.
func (p Path) Dir() Path {
	i := strings.LastIndexByte(string(p), '/')
	if i < 0 {
		return Root
	}
	return p[:i]
}

// Split returns Dir and Base. ok is false for the Root, which has neither.
func (p Path) Split() (dir Path, base string, ok bool) { return p.Dir(), p.Base(), p != Root }

// Append returns p followed by one step. The error is Invalid if step cannot
// be one.
func (p Path) Append(step string) (Path, error) {
	q, err := NewPath(step)
	if err != nil {
		return Root, err
	}
	return p.Join(q), nil
}

// Join returns p followed by the steps of q.
func (p Path) Join(q Path) Path {
	switch {
	case p == Root:
		return q
	case q == Root:
		return p
	}
	return p + "/" + q
}

// Within reports whether p is dir or lies below it.
func (p Path) Within(dir Path) bool {
	return dir == Root || p == dir || len(p) > len(dir) && p[len(dir)] == '/' && p[:len(dir)] == dir
}

// Compare orders paths step by step, and steps byte by byte: "a/b" comes
// before "a.c". The result is negative, zero or positive.
func (p Path) Compare(q Path) int {
	for p != q {
		ps, prest, pmore := strings.Cut(string(p), "/")
		qs, qrest, qmore := strings.Cut(string(q), "/")
		if ps != qs {
			return strings.Compare(ps, qs)
		}
		if pmore != qmore {
			return map[bool]int{false: -1, true: 1}[pmore]
		}
		p, q = Path(prest), Path(qrest)
	}
	return 0
}
