package refdb

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
)

const (
	h1 = "1111111111111111111111111111111111111111"
	h2 = "2222222222222222222222222222222222222222"
	hA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

var packedTexts = []struct {
	name string
	text string
	want map[string]string // nil if the text is refused
}{
	{"nothing", "", map[string]string{}},
	{"header", "# pack-refs with: peeled fully-peeled sorted \n", map[string]string{}},
	{"sorted", h1 + " refs/heads/a\n" + h2 + " refs/heads/a-b\n" + h1 + " refs/heads/a/b\n",
		map[string]string{"a": h1, "a-b": h2, "a/b": h1}},
	{"others", h1 + " refs/head\n" + h1 + " refs/heads\n" + h2 + " refs/heads/m\n" + h1 + " refs/heads0\n" + h1 + " refs/tags/t\n^" + h2 + "\n",
		map[string]string{"m": h2}},
	{"not sorted", "# pack-refs with: peeled \n" + h1 + " refs/tags/t\n^" + h2 + "\n" + h2 + " refs/heads/b\n" + h1 + " refs/heads/a\n",
		map[string]string{"a": h1, "b": h2}},
	{"twice", h1 + " refs/heads/a\n" + h2 + " refs/heads/a\n", map[string]string{"a": h1}},
	{"capital digits", hA + " refs/heads/a\n", map[string]string{"a": strings.ToLower(hA)}},
	{"invalid name", h1 + " refs/heads/a..b\n" + h2 + " refs/heads/b\n", map[string]string{"b": h2}},
	{"no end", h1 + " refs/heads/a", nil},
	{"no name", h1 + " \n", nil},
	{"short hash", h1[1:] + " refs/heads/a\n", nil},
	{"bad digit", "g" + h1[1:] + " refs/heads/a\n", nil},
	{"empty line", "\n", nil},
	{"refused late", h2 + " refs/heads/b\n" + h1 + " refs/heads/a\nx\n", nil},
}

// contents returns the branches in p.
func contents(p *packed) map[string]string {
	m := make(map[string]string)
	for i := p.lo; i < p.hi; i++ {
		m[p.branch(i)] = p.hash(i).String()
	}
	return m
}

func TestFS2_ParsePacked(t *testing.T) {
	t.Parallel()
	for _, tt := range packedTexts {
		p, err := parsePacked(tt.text)
		if tt.want == nil {
			if !errors.Is(err, datakit.Internal) {
				t.Errorf("%s: error %v, want %v", tt.name, err, datakit.Internal)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := contents(p); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: branches are %v, want %v", tt.name, got, tt.want)
		}
		for name, want := range tt.want {
			if got := p.head(name).String(); got != want {
				t.Errorf("%s: head of %s is %s, want %s", tt.name, name, got, want)
			}
		}
	}
}

// FuzzParsePacked checks that all that is accepted is found again, in order,
// and that lines can be taken out of it.
func FuzzParsePacked(f *testing.F) {
	for _, tt := range packedTexts {
		f.Add(tt.text, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := parsePacked(text)
		if err != nil {
			return
		}
		all := contents(p)
		last := ""
		for i := p.lo; i < p.hi; i++ {
			b := p.branch(i)
			if b <= last || !isBranch(b) || p.head(b) != p.hash(i) || p.find(headsPrefix+b) != p.hash(i) {
				t.Fatalf("%q: branch %d is %q, after %q", text, i, b, last)
			}
			last = b
		}
		if _, known := all[name]; !known && !p.head(name).IsZero() {
			t.Fatalf("%q: found %q", text, name)
		}
		if b := p.below(name); b != "" && (!strings.HasPrefix(b, name+"/") || all[b] == "") {
			t.Fatalf("%q: found %q below %q", text, b, name)
		}
		rest, err := parsePacked(strings.Join(p.without([]string{name, last}), ""))
		if err != nil {
			t.Fatalf("%q without %q and %q: %v", text, name, last, err)
		}
		delete(all, name)
		delete(all, last)
		if got := contents(rest); !reflect.DeepEqual(got, all) {
			t.Fatalf("%q without %q and %q has %v, want %v", text, name, last, got, all)
		}
	})
}

// FuzzParseRef checks that only what Git would write is a reference.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"", h1, h1 + "\n", h1 + "x", "ref: refs/heads/a\n", "ref:refs/tags/x", "ref: ../x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := parseRef(b)
		switch l.kind {
		case direct:
			if !strings.EqualFold(l.head.String(), string(b[:40])) {
				t.Fatalf("%q is %s", b, l.head)
			}
		case symbolic:
			if !isBranch(l.target) {
				t.Fatalf("%q leads to %q", b, l.target)
			}
		case foreign:
			if !strings.HasPrefix(l.target, "refs/") || slices.Contains(strings.Split(l.target, "/"), "..") {
				t.Fatalf("%q leads to %q", b, l.target)
			}
		}
	})
}
