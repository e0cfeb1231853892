package capability

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/datakit/datakit"
)

// A ParseError says what of a text is no capabilities. It is the cause of an
// error of kind Invalid.
type ParseError struct {
	Text     string // the offending part
	Position int    // of its first character in the text, which starts with 1
	Reason   string
}

// The reasons of a ParseError (GH-145).
const (
	missingColon      = `missing ":"`
	invalidResource   = "invalid resource"
	invalidOperations = "invalid operations"
	givenTwice        = "given twice"
)

// Error names the part, its position and the reason.
func (e *ParseError) Error() string {
	return fmt.Sprintf("%q at position %d: %s", e.Text, e.Position, e.Reason)
}

// Parse reads the string form (GH-143), such as "*:r,status[ci/datakit]:x". The
// error is Invalid, with a *ParseError as its cause.
func Parse(text string) (Set, error) {
	entries := map[Resource]Permissions{}
	rest, more := text, true
	for more {
		at := len(text) - len(rest)
		var entry string
		entry, rest, more = cutEntry(rest)
		r, p, fault := parseEntry(entry)
		if fault == nil {
			if _, twice := entries[r]; twice {
				fault = &ParseError{string(r), 0, givenTwice}
			}
		}
		if fault != nil {
			at += fault.Position
			fault.Position = utf8.RuneCountInString(text[:at]) + 1
			return Set{}, &datakit.Error{Op: "parse capabilities", Kind: datakit.Invalid, Err: fault}
		}
		entries[r] = p
	}
	return normalise(entries), nil
}

// cutEntry returns the first entry of a list and what follows it. A comma
// within a path does not end an entry.
func cutEntry(list string) (entry, rest string, more bool) {
	entry, rest, more = strings.Cut(list, ",")
	open := strings.IndexByte(entry, '[')
	if !more || open < 0 || strings.Contains(entry[open:], "]:") {
		return entry, rest, more
	}
	end := strings.Index(rest, "]:")
	if next := strings.IndexByte(rest, '['); end < 0 || next >= 0 && next < end {
		return entry, rest, more // the bracket is never closed
	}
	tail, rest, more := strings.Cut(rest[end:], ",")
	return list[:len(entry)+1+end+len(tail)], rest, more
}

// parseEntry reads "RESOURCE:OPS". The Position of the fault is an offset in
// bytes from the start of the entry.
func parseEntry(entry string) (Resource, Permissions, *ParseError) {
	colon := strings.LastIndexByte(entry, ':')
	if colon < 0 {
		return "", 0, &ParseError{entry, 0, missingColon}
	}
	resource, ops := Resource(entry[:colon]), entry[colon+1:]
	if !resource.valid() {
		return "", 0, &ParseError{string(resource), 0, invalidResource}
	}
	var p Permissions
	for i := range len(ops) {
		op, ok := opOf(ops[i])
		if !ok {
			return "", 0, &ParseError{ops, colon + 1, invalidOperations}
		}
		p |= Permissions(op)
	}
	return resource, p, nil
}

func opOf(letter byte) (Op, bool) {
	for _, l := range letters {
		if l.letter == letter {
			return l.op, true
		}
	}
	return 0, false
}

func (r Resource) valid() bool {
	switch r {
	case Default, PR, Commit, Ref, Webhook, AnyStatus, AnyRepo:
		return true
	}
	base, path := r.path()
	if base != AnyStatus && base != AnyRepo || !strings.HasSuffix(string(r), "]") {
		return false
	}
	_, err := datakit.ParsePath(string(path))
	return err == nil
}
