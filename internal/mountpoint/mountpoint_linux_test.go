package mountpoint

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Mount{
		"21 26 0:20 / /proc rw,relatime - proc proc rw\n":                               {21, "0:20", "/proc", "proc"},
		`66 26 0:52 / /a\040b\134040/\012c rw shared:1 master:2 - fuse.datakit x rw`:    {66, "0:52", "/a b\\040/\nc", "fuse.datakit"},
		"67 26 0:53 / /mnt rw - 9p 127.0.0.1 rw,access=any,trans=tcp,port=5640,x=- - y": {67, "0:53", "/mnt", "9p"},
	} {
		if got, ok := parse(line); !ok || got != want {
			t.Errorf("parse(%q) = %+v, %v, want %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{"", "x", "21 26 0:20 / /proc rw", "a 26 0:20 / /proc rw - proc proc rw", "1 2 3 - x"} {
		if got, ok := parse(line); ok {
			t.Errorf("parse(%q) = %+v", line, got)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("empty", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, link} {
		if got, err := Check(path, false); got != empty || err != nil {
			t.Errorf("Check(%q) = %q, %v, want %q", path, got, err, empty)
		}
	}
	if got, err := Check(dir, true); got != dir || err != nil {
		t.Errorf("Check of a full directory = %q, %v", got, err)
	}
	for path, want := range map[string]string{
		dir:                            "is not empty",
		"":                             "is empty: name a directory",
		"/proc":                        "is in use: proc is mounted there",
		filepath.Join(dir, "none"):     "does not exist",
		filepath.Join(dir, "none/too"): "does not exist",
		os.Args[0]:                     "is not a directory",
	} {
		if _, err := Check(path, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%q) = %v, want %q", path, err, want)
		}
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	Gone(t.Context(), Mount{ID: 1 << 30}) // which is not there
	proc, ok := Of("/proc")
	if !ok {
		t.Fatal("/proc is not mounted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Gone(ctx, proc)
}

// TestCommandsAreQuoted: what the user is told to run works for any name.
func TestCommandsAreQuoted(t *testing.T) {
	t.Parallel()
	if got := UnmountCommand("a b"); !strings.HasSuffix(got, "umount 'a b'") && !strings.HasSuffix(got, "-u 'a b'") {
		t.Errorf("UnmountCommand = %s", got)
	}
	if got := removal("a;b"); got != "fusermount3 -u 'a;b', or: umount -l 'a;b'" {
		t.Errorf("removal = %s", got)
	}
}
