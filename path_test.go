package datakit

import (
	"slices"
	"strings"
	"testing"
)

func TestCL17_ParsePath(t *testing.T) {
	for _, text := range []string{"a", "a/b", "a b/c*", ".hidden/...", "caf\xe9", "src/Makefile"} {
		p, err := ParsePath(text)
		if err != nil || string(p) != text {
			t.Errorf("ParsePath(%q) = %q, %v, want the same text", text, p, err)
		}
		if got := strings.Join(slices.Collect(p.Steps()), "/"); got != text {
			t.Errorf("the steps of %q make %q", text, got)
		}
	}
}

func TestCL17_ParsePathRefuses(t *testing.T) {
	for text, step := range map[string]string{
		"": "", "/": "", "/a": "", "a/": "", "a//b": "",
		".": ".", "a/.": ".", "./a": ".", "..": "..", "a/../b": "..",
	} {
		_, err := ParsePath(text)
		want := `Invalid path component "` + step + `"`
		if KindOf(err) != Invalid || err == nil || err.Error() != want {
			t.Errorf("ParsePath(%q): %v, want %s", text, err, want)
		}
	}
}

func TestCL16_NewPath(t *testing.T) {
	for _, tt := range []struct {
		steps []string
		want  Path
		err   string
	}{
		{nil, Root, ""},
		{[]string{"a"}, "a", ""},
		{[]string{"a", "b c", "..."}, "a/b c/...", ""},
		{[]string{"a", ""}, Root, `Invalid path component ""`},
		{[]string{".", "a"}, Root, `Invalid path component "."`},
		{[]string{".."}, Root, `Invalid path component ".."`},
		{[]string{"a/b"}, Root, `'/' in path step "a/b"`},
	} {
		got, err := NewPath(tt.steps...)
		switch {
		case got != tt.want:
			t.Errorf("NewPath(%q) = %q, want %q", tt.steps, got, tt.want)
		case tt.err == "" && err != nil, tt.err != "" && (KindOf(err) != Invalid || err == nil || err.Error() != tt.err):
			t.Errorf("NewPath(%q): error %v, want %q", tt.steps, err, tt.err)
		}
	}
}

func TestCL18_PathParts(t *testing.T) {
	for _, tt := range []struct {
		path, dir Path
		base      string
		steps     int
	}{
		{Root, Root, "", 0},
		{"a", Root, "a", 1},
		{"a/b", "a", "b", 2},
		{"a/b/c.d", "a/b", "c.d", 3},
	} {
		if got := tt.path.Dir(); got != tt.dir {
			t.Errorf("%q.Dir() = %q, want %q", tt.path, got, tt.dir)
		}
		if got := tt.path.Base(); got != tt.base {
			t.Errorf("%q.Base() = %q, want %q", tt.path, got, tt.base)
		}
		if got := slices.Collect(tt.path.Steps()); len(got) != tt.steps {
			t.Errorf("%q.Steps() yields %q, want %d steps", tt.path, got, tt.steps)
		}
		dir, base, ok := tt.path.Split()
		if dir != tt.dir || base != tt.base || ok != (tt.path != Root) {
			t.Errorf("%q.Split() = %q, %q, %v", tt.path, dir, base, ok)
		}
		if back := tt.dir.Join(Path(tt.base)); back != tt.path {
			t.Errorf("%q and %q join to %q, want %q", tt.dir, tt.base, back, tt.path)
		}
	}
}

func TestCL18_PathStepsStops(t *testing.T) {
	for range Path("a/b/c").Steps() {
		break
	}
	for range Root.Steps() {
		t.Error("the Root has a step")
	}
}

func TestCL18_PathAppend(t *testing.T) {
	for _, tt := range []struct {
		path Path
		step string
		want Path
		kind Kind
	}{
		{Root, "a", "a", 0},
		{"a", "b", "a/b", 0},
		{"a", "", Root, Invalid},
		{"a", ".", Root, Invalid},
		{"a", "..", Root, Invalid},
		{"a", "b/c", Root, Invalid},
	} {
		got, err := tt.path.Append(tt.step)
		if got != tt.want || KindOf(err) != tt.kind || (err != nil) != (tt.kind != 0) {
			t.Errorf("%q.Append(%q) = %q, %v, want %q, %v", tt.path, tt.step, got, err, tt.want, tt.kind)
		}
	}
}

func TestCL18_PathWithin(t *testing.T) {
	for _, tt := range []struct {
		path, dir Path
		want      bool
	}{
		{Root, Root, true}, {"a", Root, true}, {"a", "a", true}, {"a/b", "a", true}, {"a/b/c", "a/b", true},
		{Root, "a", false}, {"ab", "a", false}, {"a", "a/b", false}, {"b/a", "a", false},
	} {
		if got := tt.path.Within(tt.dir); got != tt.want {
			t.Errorf("%q.Within(%q) = %v, want %v", tt.path, tt.dir, got, tt.want)
		}
	}
}

// TestCL18_PathCompare holds every pair of a sorted list against its order.
func TestCL18_PathCompare(t *testing.T) {
	sorted := []Path{Root, "A", "a", "a/b", "a/b/c", "a/c", "a-b", "a.c", "a.c/d", "a0", "ab", "b", "\xff"}
	for i, p := range sorted {
		for j, q := range sorted {
			if got := p.Compare(q); sign(got) != sign(i-j) {
				t.Errorf("%q.Compare(%q) = %d, want the sign of %d", p, q, got, i-j)
			}
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"", "a", "a/b", "a//b", "/", "../x", "a\x00b", "\xff/."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			if KindOf(err) != Invalid {
				t.Fatalf("ParsePath(%q): %v has kind %v, want %v", text, err, KindOf(err), Invalid)
			}
			return
		}
		steps := slices.Collect(p.Steps())
		if back, err := NewPath(steps...); back != p || err != nil || p.Check() != nil {
			t.Fatalf("the steps %q of %q make %q, %v", steps, p, back, err)
		}
		if dir, base, ok := p.Split(); !ok || dir.Join(Path(base)) != p || !p.Within(dir) || p.Compare(dir) <= 0 {
			t.Fatalf("%q splits into %q and %q", p, dir, base)
		}
	})
}
