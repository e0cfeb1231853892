package vfs

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A testDir is a root directory.
type testDir struct{ DirBase }

func (d *testDir) Parent() Dir { return d }

func newTestDir() *testDir { return &testDir{DirBase{Base{Name: "/"}}} }

func fileBase(name string) FileBase { return FileBase{Base{In: newTestDir(), Name: name}} }

func mustOpen(t *testing.T, n Node, flags OpenFlags) File {
	t.Helper()
	f, err := n.Open(t.Context(), flags)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// readAt reads n bytes at off, and fails the test unless the result is want.
func readAt(t *testing.T, f File, off uint64, n int, want string) {
	t.Helper()
	p := make([]byte, n)
	got, err := f.ReadAt(t.Context(), p, off)
	if err != nil || string(p[:got]) != want {
		t.Fatalf("read of %d at %d = %q, %v, want %q", n, off, p[:got], err, want)
	}
}

func readFails(t *testing.T, f File, off uint64, want error) {
	t.Helper()
	if n, err := f.ReadAt(t.Context(), make([]byte, 100), off); !sameError(err, want) {
		t.Fatalf("read at %d = %d, %v, want %v", off, n, err, want)
	}
}

func write(t *testing.T, f File, off uint64, text string) {
	t.Helper()
	if err := f.WriteAt(t.Context(), []byte(text), off); err != nil {
		t.Fatalf("write of %q at %d: %v", text, off, err)
	}
}

func fails(t *testing.T, err, want error) {
	t.Helper()
	if !sameError(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func sameError(err, want error) bool {
	if err == nil || want == nil {
		return err == want
	}
	return *AsError(err) == *AsError(want)
}

func size(t *testing.T, n Node) uint64 {
	t.Helper()
	st, err := n.Stat(t.Context())
	if err != nil {
		t.Fatalf("Stat: %v", err)
	}
	return st.Size
}

// waiting returns a context, and a channel that is closed when a call with it
// says that it may wait.
func waiting(ctx context.Context) (context.Context, <-chan struct{}) {
	waits := make(chan struct{})
	return WithWait(ctx, func() {
		select {
		case <-waits:
		default:
			close(waits)
		}
	}), waits
}

func soon(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not happen", what)
	}
}

func TestFS175_PathsDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[uint64]string)
	root := ChildPath(0, "/", true)
	for what, path := range map[string]uint64{
		"/":         root,
		"/a":        ChildPath(root, "a", false),
		"/a/":       ChildPath(root, "a", true),
		"/b":        ChildPath(root, "b", false),
		"/a/b":      ChildPath(ChildPath(root, "a", true), "b", false),
		"/b/a":      ChildPath(ChildPath(root, "b", true), "a", false),
		"/ab":       ChildPath(root, "ab", false),
		"/a/ of /b": ChildPath(ChildPath(root, "b", false), "a", true),
	} {
		if other, ok := seen[path]; ok {
			t.Errorf("%s and %s have the same path", what, other)
		}
		seen[path] = what
	}
	if got := ChildPath(ChildPath(0, "/", true), "a", true); seen[got] != "/a/" {
		t.Error("one place has two paths")
	}
}

// TestFS175_PathsSpread looks for collisions among a million places.
func TestFS175_PathsSpread(t *testing.T) {
	t.Parallel()
	seen := make(map[uint64]bool)
	for i := range 1000 {
		dir := ChildPath(0, strconv.Itoa(i), true)
		for j := range 1000 {
			seen[ChildPath(dir, strconv.Itoa(j), j%2 == 0)] = true
		}
	}
	if len(seen) != 1000*1000 {
		t.Errorf("%d paths of a million places", len(seen))
	}
}

func TestFS41_FS42_DirDefaults(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := newTestDir()
	fails(t, d.SetLength(ctx, 0), nil)
	fails(t, d.SetLength(ctx, 1), ErrDirLength)
	fails(t, d.Chmod(ctx, Mode{Perm: 0o755}), ErrDirFlag)
	fails(t, d.Chmod(ctx, Mode{Perm: 0o755, Dir: true}), ErrPermission)
	fails(t, d.Remove(ctx, true), ErrDirReadOnly)
	_, err := d.Create(ctx, "x", false, false)
	fails(t, err, ErrDirReadOnly)
	_, err = d.Mkdir(ctx, "x")
	fails(t, err, ErrDirReadOnly)
	_, err = d.Symlink(ctx, "x", "y")
	fails(t, err, ErrDirReadOnly)
	_, err = d.Open(ctx, OpenFlags{RemoveOnClose: true})
	fails(t, err, ErrPermission)
}

func TestRename_OtherDirectory(t *testing.T) {
	t.Parallel()
	f := &Static{FileBase: fileBase("f")}
	fails(t, f.Rename(t.Context(), nil, "g"), ErrDirReadOnly)
	fails(t, f.Rename(t.Context(), newTestDir(), "g"), ErrDirReadOnly) // the same place
	other := &testDir{DirBase{Base{In: newTestDir(), Name: "other"}}}
	fails(t, f.Rename(t.Context(), other, "g"), ErrCrossDevice)
}

func TestCheck_Gone(t *testing.T) {
	t.Parallel()
	gone := false
	base := fileBase("f")
	base.Check = func() error {
		if gone {
			return ErrNotExist
		}
		return nil
	}
	src := func(context.Context) (Source, error) { return newTestSource(), nil }
	content := func(context.Context) ([]byte, error) { return nil, nil }
	run := func(context.Context, string) (string, error) { return "", nil }
	nodes := map[string]Node{
		"static":  &Static{FileBase: base},
		"status":  &Status{FileBase: base, Content: content},
		"command": &Command{FileBase: base, Run: run},
		"text":    &Text{FileBase: base, Buffer: new(Buffer)},
		"stream":  &Stream{FileBase: base, Source: src},
		"dir":     &testDir{DirBase(base)},
	}
	open := make(map[string]File)
	for name, n := range nodes {
		if name != "dir" && name != "stream" {
			open[name] = mustOpen(t, n, OpenFlags{})
		}
	}
	gone = true
	for name, n := range nodes {
		_, qidErr := n.Qid(t.Context())
		_, statErr := n.Stat(t.Context())
		_, openErr := n.Open(t.Context(), OpenFlags{})
		errs := []error{
			qidErr, statErr, openErr,
			n.SetLength(t.Context(), 0), n.SetLength(t.Context(), 1),
			n.Chmod(t.Context(), Mode{}), n.Chmod(t.Context(), Mode{Dir: true}),
			n.Remove(t.Context(), true), n.Rename(t.Context(), nil, "g"),
		}
		if f := open[name]; f != nil {
			_, readErr := f.ReadAt(t.Context(), make([]byte, 1), 0)
			errs = append(errs, readErr, f.WriteAt(t.Context(), []byte("x"), 0), f.Close())
			errs = errs[:len(errs)-1] // closing succeeds
		}
		for i, err := range errs {
			if !errors.Is(err, ErrNotExist) {
				t.Errorf("%s: operation %d: %v, want %v", name, i, err, ErrNotExist)
			}
		}
	}
}
