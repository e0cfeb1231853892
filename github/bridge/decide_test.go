package bridge

import (
	"fmt"
	"testing"
)

var perms = map[string]perm{
	"none": {},
	"r":    {read: true},
	"w":    {write: true},
	"rw":   {read: true, write: true},
	"x":    {read: true, write: true, exclusive: true},
}

// An outcome is what a verdict says, in words: the value of the branch, what
// is sent ("-" for a removal), and what is agreed before and after the sending.
type outcome struct {
	t, send, a, sent string
	forget           bool
}

// wantValue is the table of GH-118 for one element whose values are "", for
// none, or one of some letters.
func wantValue(perms string, first, removable bool, b, g, a string) outcome {
	keep := outcome{t: b, a: b, sent: b}
	take := outcome{t: g, a: g, sent: g}
	send := outcome{t: b, send: b, a: a, sent: b}
	if b == "" && removable {
		send.send = "-"
	}
	if b == "" && !removable {
		send = outcome{forget: true} // GH-126
	}
	switch perms {
	case "none":
		return outcome{t: b, a: a, sent: a}
	case "r":
		return take
	case "w":
		if first || b == a {
			return keep
		}
		return send
	case "rw":
		switch {
		case first, b == a:
			return take
		case b == g:
			return keep
		}
		return send
	default:
		if b == g {
			return keep
		}
		return send
	}
}

// TestGH118_Table tries each row and column of the table with all ways in
// which the values of the branch, of GitHub and the agreed one can be absent,
// equal and different.
func TestGH118_Table(t *testing.T) {
	t.Parallel()
	values := []string{"", "p", "q", "s"}
	ptr := func(v string) *string {
		if v == "" {
			return nil
		}
		return &v
	}
	str := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	forAll := func(do func(b, g, a string)) {
		for _, b := range values {
			for _, g := range values {
				for _, a := range values {
					do(b, g, a)
				}
			}
		}
	}
	for name, p := range perms {
		for _, first := range []bool{true, false} {
			for _, removable := range []bool{true, false} {
				forAll(func(b, g, a string) {
					v := decideValue(p, first, removable, sided[string]{ptr(b), ptr(g), ptr(a)},
						func(x, y string) bool { return x == y })
					got := outcome{t: str(v.t), a: str(v.a), sent: str(v.sent), forget: v.forget}
					if v.send {
						got.send = str(v.t)
						if v.t == nil {
							got.send = "-"
						}
					}
					if want := wantValue(name, first, removable, b, g, a); got != want {
						t.Errorf("%s, first %t, removable %t, b=%q g=%q a=%q: %+v, want %+v", name, first, removable, b, g, a, got, want)
					}
				})
			}
		}
	}
}

// TestGH119_ReadNeverSends and its like are consequences of the table that are
// worth a sentence of their own.
func TestGH119_ReadNeverSends(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		first, bIsA, bIsG := i&1 != 0, i&2 != 0, i&4 != 0
		if c := decide(perms["r"], first, bIsA, bIsG); c != takeGitHub {
			t.Errorf("first %t, b=a %t, b=g %t: %v", first, bIsA, bIsG, c)
		}
	}
}

func TestGH120_BranchWinsWhenBothChangedButNotAtFirst(t *testing.T) {
	t.Parallel()
	if c := decide(perms["rw"], false, false, false); c != sendBranch {
		t.Errorf("both changed: %v, want that the branch is sent", c)
	}
	if c := decide(perms["rw"], true, false, false); c != takeGitHub {
		t.Errorf("first import: %v, want that GitHub's is taken", c)
	}
}

func (c choice) String() string {
	return fmt.Sprintf("%q", []string{"untouched", "agreed", "take GitHub's", "send the branch's"}[c])
}
