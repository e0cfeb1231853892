package fsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

func TestFS217_FS223_WireErrors(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error {
		return fmt.Errorf("more: %w", &datakit.Error{Op: "op", Kind: datakit.KindOf(err), Err: err})
	}
	many := &datakit.MergeError{}
	for range 3 {
		many.Conflicts = append(many.Conflicts, datakit.MergeConflict{Path: "a/\nb", Reason: "File vs dir"})
	}
	for _, tt := range []struct {
		err   error
		text  string
		errno uint32
	}{
		{datakit.Exist, "Already exists", 17},
		{datakit.NotExist, "No such file or directory", 2},
		{datakit.IsDir, "Is a directory", 21},
		{datakit.NotDir, "Is not a directory", 20},
		{datakit.NotFile, "Invalid argument", 22},
		{datakit.NotLink, "Invalid argument", 22},
		{datakit.Closed, "No such file or directory", 2},
		{datakit.Unresolved, "conflicts file is not empty", 16},
		{datakit.NotFastForward, "not-fast-forward", 16},
		{datakit.Invalid, "Invalid argument", 22},
		{datakit.TooLarge, "File too large", 27},
		{datakit.Overflow, "Reflog overflow", 5},
		{datakit.Aborted, "Interrupted system call", 4},
		{context.Canceled, "Interrupted system call", 4},
		{context.DeadlineExceeded, "Interrupted system call", 4},
		{&datakit.BranchConflictError{Other: `a"b`}, `Branch name conflicts with "a\"b"`, 17},
		{many, "Merge conflict: a/ b: File vs dir (and 2 more)", 16},
		{&datakit.MergeError{Conflicts: many.Conflicts[:1]}, "Merge conflict: a/ b: File vs dir", 16},
		{datakit.NoSpace, "No space left on device", 28},
		{&fs.PathError{Op: "write", Path: "/srv/secret", Err: syscall.ENOSPC}, "No space left on device", 28},
		{datakit.Locked, "Locked by another program", 11},
		{&datakit.LockedError{File: "refs/heads/a.lock"}, "Locked by another program: if none is at work on the repository, remove the file refs/heads/a.lock from it", 11},
		{datakit.IO, "Internal error", 5},
		{datakit.Internal, "Internal error", 5},
		{errors.New("a secret"), "Internal error", 5},
		{badHash("x\ny"), `invalid-hash "x\x0ay"`, 2},
		{badCommand(strings.Repeat("x", 5000)), `Unknown command "` + strings.Repeat("x", vfs.MaxErrorText-17), 22},
	} {
		for _, err := range []error{tt.err, wrap(tt.err)} {
			got := vfs.AsError(wireError(err))
			if got.Text != tt.text || got.Errno != tt.errno {
				t.Errorf("wireError(%v) = %q, %d, want %q, %d", err, got.Text, got.Errno, tt.text, tt.errno)
			}
		}
	}
	if wireError(nil) != nil || entryError(nil) != nil {
		t.Error("no error becomes one")
	}
	for _, k := range []datakit.Kind{datakit.NotDir, datakit.IsDir, datakit.Invalid, datakit.NotExist} {
		if got := entryError(wrap(k)); got != vfs.ErrNotExist {
			t.Errorf("entryError(%v) = %v", k, got)
		}
	}
}

func TestFS199_Redact(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://user:pw@host/x": "https://user:xxxxx@host/x",
		"https://host/x":         "https://host/x",
		"/a/path":                "/a/path",
		"git@host:path":          "git@host:path",
		"user:p@w@host:path":     "user:xxxxx@host:path",
	} {
		if got := redact(url); got != want {
			t.Errorf("redact(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestFS28_EscapeBranch(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "a/b", "%", "a%2Fb", "/%/", "100%25"} {
		got, ok := unescape(escapeBranch(name))
		if got != name || !ok {
			t.Errorf("%q becomes %q, and that %q, %v", name, escapeBranch(name), got, ok)
		}
	}
}

func FuzzFS28_UnescapeBranch(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a%2Fb", "%25", "%", "%2", "..", "a%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, ok := unescapeBranch(text)
		if !ok {
			return
		}
		if err := datakit.CheckBranch(name); err != nil {
			t.Fatalf("unescapeBranch(%q) = %q: %v", text, name, err)
		}
		if back, ok := unescapeBranch(escapeBranch(name)); back != name || !ok {
			t.Fatalf("unescapeBranch(%q) = %q, whose escaped form is %q", text, name, back)
		}
	})
}

func FuzzFS100_ParseParents(f *testing.F) {
	h := strings.Repeat("0123456789", 4)
	for _, s := range []string{"", h, " " + h + "\r\n\n" + h, "x", h[1:]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hs, err := parseParents(text)
		if err != nil {
			return
		}
		again, err := parseParents(formatHashes(hs))
		if err != nil || len(again) != len(hs) {
			t.Fatalf("%q has %d parents, and again %d, %v", text, len(hs), len(again), err)
		}
	})
}

func TestFS211_Registry(t *testing.T) {
	t.Parallel()
	var r registry[[64]byte]
	kept := new([64]byte)
	r.put("kept", kept)
	for i := range 100_000 {
		r.put(fmt.Sprint(i), new([64]byte))
		if i%10_000 == 0 {
			runtime.GC()
		}
	}
	runtime.GC()
	r.put("another", kept)
	if r.lookup("kept") != kept || r.lookup("nothing") != nil {
		t.Error("lookup does not find what is held")
	}
	r.drop("kept", new([64]byte)) // another's name
	if r.lookup("kept") != kept {
		t.Error("drop removed what another has put")
	}
	r.drop("kept", kept)
	if r.lookup("kept") != nil {
		t.Error("drop removed nothing")
	}
	if len(r.m) > 50_000 {
		t.Errorf("%d names are kept of objects that are gone", len(r.m))
	}
}
