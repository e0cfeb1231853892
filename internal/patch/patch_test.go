package patch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// distance returns the number of lines to be removed and added on the shortest
// way from a to b, by trying all.
func distance(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, line := range a {
		corner := row[0]
		row[0] = i + 1
		for j := range b {
			up := row[j+1]
			if line == b[j] {
				row[j+1] = corner
			} else {
				row[j+1] = min(up, row[j]) + 1
			}
			corner = up
		}
	}
	return row[len(b)]
}

// TestDiffIsShortest: the spans lead from one text to the other, and no others
// are shorter.
func TestDiffIsShortest(t *testing.T) {
	t.Parallel()
	text := rapid.SliceOfN(rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\n"}), 0, 24)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		var got []string
		edits, at := 0, 0
		for _, s := range diff(a, b) {
			got = append(append(got, a[at:s.a0]...), b[s.b0:s.b1]...)
			edits += s.a1 - s.a0 + s.b1 - s.b0
			at = s.a1
		}
		if got = append(got, a[at:]...); !slices.Equal(got, b) {
			t.Fatalf("the spans lead to %q, want %q", got, b)
		}
		if want := distance(a, b); edits != want {
			t.Fatalf("%d edits, want %d", edits, want)
		}
	})
}

// TestDiffGivesUp: texts with nothing in common take no time.
func TestDiffGivesUp(t *testing.T) {
	t.Parallel()
	a, b := make([]string, 20_000), make([]string, 20_000)
	for i := range a {
		a[i], b[i] = strings.Repeat("a", i%1000), strings.Repeat("b", i%999+1)
	}
	if got := diff(a, b); len(got) == 0 {
		t.Error("no difference")
	}
}

// contents are what files have in TestGitApplies.
var contents = rapid.OneOf(
	rapid.Just(""),
	rapid.Just("binary\x00"),
	rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "\n", "\n", "line\n", "é\r\n", "\\", "-- x\n"}), 0, 30), func(s []string) string { return strings.Join(s, "") }),
)

// files are changes of a file "f".
var files = rapid.Custom(func(t *rapid.T) *File {
	return &File{Path: "f", Old: sides.Draw(t, "old"), New: sides.Draw(t, "new")}
})

var sides = rapid.Custom(func(t *rapid.T) Side {
	mode := rapid.SampledFrom([]string{"", "100644", "100755"}).Draw(t, "mode")
	if mode == "" {
		return Side{}
	}
	text := contents.Draw(t, "text")
	return Side{mode, []byte(text), int64(len(text))}
})

// TestGitApplies has git apply patches of text, forwards and backwards.
func TestGitApplies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"f", "with space", "qu\"ote\\\t", "é"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for seed := range 30 {
				f := files.Example(seed)
				f.Path = name
				if f.Binary() || f.Old.Mode == f.New.Mode && bytes.Equal(f.Old.Data, f.New.Data) {
					continue // git refuses to apply these
				}
				checkApplies(t, dir, f)
			}
		})
	}
}

func checkApplies(t *testing.T, dir string, f *File) {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, Plain); err != nil {
		t.Fatal(err)
	}
	put(t, dir, f.Path, f.Old)
	apply(t, dir, b.Bytes())
	want(t, dir, f.Path, f.New)
	apply(t, dir, b.Bytes(), "--reverse")
	want(t, dir, f.Path, f.Old)
}

func put(t *testing.T, dir, name string, s Side) {
	path := filepath.Join(dir, name)
	os.Remove(path)
	if s.Mode == "" {
		return
	}
	perm := os.FileMode(0o644)
	if s.Mode == "100755" {
		perm = 0o755
	}
	if err := os.WriteFile(path, s.Data, perm); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, dir, name string, s Side) {
	got, err := os.ReadFile(filepath.Join(dir, name))
	if s.Mode == "" {
		if err == nil {
			t.Fatalf("there is still %q", got)
		}
		return
	}
	if err != nil || !bytes.Equal(got, s.Data) {
		t.Fatalf("the patch leads to %q, error %v, want %q", got, err, s.Data)
	}
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil || info.Mode()&0o100 != 0 != (s.Mode == "100755") {
		t.Fatalf("the mode is %v, error %v, want %s", info.Mode(), err, s.Mode)
	}
}

func apply(t *testing.T, dir string, patch []byte, args ...string) {
	cmd := exec.Command("git", append([]string{"apply", "--whitespace=nowarn", "--unidiff-zero"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	cmd.Stdin = bytes.NewReader(patch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s\n%s", err, out, patch)
	}
}

// TestText is what is printed of the common cases.
func TestText(t *testing.T) {
	t.Parallel()
	text := func(mode, s string) Side { return Side{mode, []byte(s), int64(len(s))} }
	for _, tt := range []struct {
		name string
		f    File
		want string
	}{
		{"context", File{"d/f", text("100644", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), text("100644", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")},
			"diff --git a/d/f b/d/f\n--- a/d/f\n+++ b/d/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
		{"new", File{"f", Side{}, text("120000", "to")},
			"diff --git a/f b/f\nnew file mode 120000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+to\n\\ No newline at end of file\n"},
		{"mode", File{"f", text("100644", "x\n"), text("100755", "x\n")}, "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"},
		{"binary", File{"f", text("100644", "\x00"), text("100644", "x")}, "diff --git a/f b/f\nBinary files a/f and b/f differ\n"},
		{"large", File{"f", Side{}, Side{"100644", nil, MaxSize + 1}},
			"diff --git a/f b/f\nnew file mode 100644\nBinary files /dev/null and b/f differ\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := tt.f.Write(&b, Plain); err != nil || b.String() != tt.want {
				t.Errorf("%q, error %v, want %q", b.String(), err, tt.want)
			}
		})
	}
}
