package p9db

import (
	"errors"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

// TestCL122_MalformedDiff: what no two trees can have as their differences is an
// error that shows the line.
func TestCL122_MalformedDiff(t *testing.T) {
	t.Parallel()
	db := memdb.New(nil)
	defer db.Close()
	empty, err := db.Tree(t.Context(), datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
	if err != nil {
		t.Fatal(err)
	}
	for text, line := range map[string]string{
		"rubbish\n":    "rubbish",
		"+ a\nb\n":     "+ a",
		"? a\n":        "? a",
		"+ b\n+ a\n":   "+ b",
		"+ a//b\n":     "+ a//b",
		"+ \n":         "+ ",
		"\n":           "",
		"* a\n* a\n":   "* a",
		"-a\n":         "-a",
		"+ a\x00b/\n ": "+ a\x00b/",
	} {
		_, err := parseDiff(t.Context(), text, func() (_, _ contents, err error) { return empty, empty, nil })
		if !errors.Is(err, datakit.Internal) || !strings.Contains(err.Error(), "internal error: ") || line != "" && !strings.Contains(err.Error(), quote(line)) {
			t.Errorf("%q: error %v, want one of kind %v with the line %q", text, err, datakit.Internal, line)
		}
	}
	changes, err := parseDiff(t.Context(), "* a b\n+ c/d\n- e\n", nil)
	if err != nil || len(changes) != 3 || changes[0] != (datakit.Change{Path: "a b", Op: datakit.Updated}) {
		t.Errorf("changes %v, error %v", changes, err)
	}
}

func quote(line string) string { return strings.Trim(strings.ReplaceAll(line, "\x00", `\x00`), `"`) }

// TestCL122_MalformedParents: the line of a file of hashes that is none is shown.
func TestCL122_MalformedParents(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hello\n", datakit.EmptyTree.String() + "\nhello", "hello \n"} {
		if _, err := parseHashes(text); !errors.Is(err, datakit.Internal) || !strings.Contains(err.Error(), "hello") {
			t.Errorf("%q: error %v, want one of kind %v with the line", text, err, datakit.Internal)
		}
	}
	if hs, err := parseHashes("\n" + datakit.EmptyTree.String() + " \n\n"); err != nil || len(hs) != 1 {
		t.Errorf("hashes %v, error %v", hs, err)
	}
}
