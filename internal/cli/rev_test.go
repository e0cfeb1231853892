package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/terminal"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
)

// open returns a database in memory.
func open(t *testing.T) *datakit.DB {
	t.Helper()
	db := memdb.New(nil)
	t.Cleanup(func() { db.Close() })
	return db
}

// put commits a file to a branch, and returns the commit.
func put(t *testing.T, db *datakit.DB, branch string, path datakit.Path, content string) datakit.Hash {
	t.Helper()
	b := db.Branch(branch)
	err := b.Update(t.Context(), "put "+path.String(), func(tx *datakit.Tx) error { return tx.WriteFile(t.Context(), path, []byte(content)) })
	if err != nil {
		t.Fatal(err)
	}
	h, err := b.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestAbbreviatedHashes: four digits will do, unless two commits begin so.
func TestAbbreviatedHashes(t *testing.T) {
	t.Parallel()
	db := open(t)
	seen := make(map[string]datakit.Hash)
	var one, two datakit.Hash
	for i := 0; two.IsZero() && i < 5000; i++ {
		two = put(t, db, fmt.Sprintf("b%d", i%20), "f", fmt.Sprint(i))
		digits := two.String()[:4]
		if one = seen[digits]; one.IsZero() {
			seen[digits], two = two, one
		}
	}
	if two.IsZero() {
		t.Fatal("no two commits begin with the same digits")
	}
	n := 4
	for one.String()[:n] == two.String()[:n] {
		n++
	}
	for _, tt := range []struct {
		rev  string
		want datakit.Hash
		kind datakit.Kind // if want is zero
	}{
		{one.String()[:n], one, 0},
		{strings.ToUpper(two.String()[:n]), two, 0},
		{two.String()[:shortLen], two, 0},
		{two.String(), two, 0},
		{one.String()[:4], datakit.Hash{}, datakit.Invalid},
		{one.String()[:3], datakit.Hash{}, datakit.NotExist},
	} {
		c, err := commit(t.Context(), db, tt.rev)
		if tt.want.IsZero() {
			if !errors.Is(err, tt.kind) {
				t.Errorf("%s: error %v, want %v", tt.rev, err, tt.kind)
			}
			continue
		}
		if err != nil || c.Hash != tt.want {
			t.Errorf("%s is not %s, error %v", tt.rev, tt.want, err)
		}
	}
	// A branch comes before a commit.
	head := put(t, db, one.String()[:8], "f", "a branch")
	if c, err := commit(t.Context(), db, one.String()[:8]); err != nil || c.Hash != head {
		t.Errorf("the branch is not found, error %v", err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	exit := exec.Command("sh", "-c", "exit 9").Run()
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), StatusError},
		{about("cat", "x", datakit.IsDir, ""), StatusError},
		{usagef("x"), StatusUsage},
		{about("cat", "x", datakit.Invalid, ""), StatusUsage},
		{about("cat", "x", &fs.PathError{Err: fs.ErrNotExist}, ""), StatusNotExist},
		{about("cat", "x", datakit.NotExist, "y"), StatusNotExist},
		{about("cat", "x", datakit.Exist, ""), StatusConflict},
		{about("merge", "x", datakit.Conflict, ""), StatusConflict},
		{about("merge", "x", datakit.Unresolved, ""), StatusConflict},
		{about("fetch", "x", datakit.NotFastForward, ""), StatusConflict},
		{about("cat", "x", &datakit.Error{Err: p9.ErrConnection}, ""), StatusConnection},
		{about("cat", "x", context.Canceled, ""), StatusInterrupted},
		{fmt.Errorf("--exec: %w", exit), 9},
	} {
		if got := Status(tt.err); got != tt.want {
			t.Errorf("%v has status %d, want %d", tt.err, got, tt.want)
		}
	}
}

// TestAboutNamesOnce: what failed within a command is told in the words of the
// user.
func TestAboutNamesOnce(t *testing.T) {
	t.Parallel()
	inner := &datakit.Error{Op: "open", Subject: "d", Kind: datakit.IO, Err: &datakit.Error{Op: "walk", Kind: datakit.NotExist}}
	if got := about("cat", "master:d", inner, "look elsewhere").Error(); got != "cat master:d: No such file or directory; look elsewhere" {
		t.Error(got)
	}
}

// screen returns a target that prints to a terminal.
func screen() (*target, *bytes.Buffer) {
	var b bytes.Buffer
	t := &target{stdio: &stdio{out: terminal.New(&b)}}
	t.out.Width, t.out.Color = 60, true
	return t, &b
}

// TestPatchesAtATerminal: they are in color, and others cannot tell the
// terminal what to do.
func TestPatchesAtATerminal(t *testing.T) {
	t.Parallel()
	db := open(t)
	put(t, db, "master", "f", "a\n")
	c, err := db.Commit(t.Context(), put(t, db, "master", "f", "\x1b[2J\n"))
	if err != nil {
		t.Fatal(err)
	}
	to, b := screen()
	v := &changeView{target: *to, stat: true, patch: true}
	changes, err := v.introduced(t.Context(), db, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(v.show(t.Context(), changes), v.out.Flush()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" f | 2 \x1b[32m+\x1b[m\x1b[31m-\x1b[m\n", "\x1b[36m@@ -1 +1 @@\x1b[m\n", "\x1b[31m-a\x1b[m\n", "\x1b[32m+\ufffd[2J\x1b[m\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q has no %q", b, want)
		}
	}
}

// TestAwaitEnds: what cannot be ended is not waited for.
func TestAwaitEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	time.AfterFunc(time.Millisecond, cancel)
	_, err := await(ctx, func() (int, error) { <-never; return 0, nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
