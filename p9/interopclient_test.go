package p9

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hugelgupf/p9/fsimpl/localfs"
	hp9 "github.com/hugelgupf/p9/p9"

	"github.com/datakit/datakit/vfs"
)

// serveVariable names the environment variable that makes the test's program
// serve the folder it gives, instead of running tests.
const serveVariable = "DATAKIT_TEST_HUGELGUPF"

// serveHugelgupf serves dir on file descriptor 3 until the peer hangs up.
func serveHugelgupf(dir string) {
	conn, err := net.FileConn(os.NewFile(3, "connection"))
	if err != nil {
		panic(err)
	}
	hp9.NewServer(localfs.Attacher(dir)).Handle(conn, conn)
}

// hugelgupfServer returns a client of another server, and the directory that
// it serves. The server is a process of its own, as it may panic when a
// connection ends: it reuses a WaitGroup on which it still waits.
func hugelgupfServer(t testing.TB) (*Client, string) {
	t.Helper()
	dir := t.TempDir()
	ours, theirs := socketPair(t)
	file, err := theirs.(*net.UnixConn).File()
	check(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+dir)
	cmd.ExtraFiles = []*os.File{file}
	check(t, cmd.Start())
	t.Cleanup(func() { cmd.Wait() })
	check(t, file.Close())
	check(t, theirs.Close())
	c, err := NewClient(t.Context(), ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, dir
}

// TestInteropClient uses the client with another server of 9P2000.L.
func TestInteropClient(t *testing.T) {
	t.Parallel()
	c, dir := hugelgupfServer(t)
	ctx := t.Context()
	if c.Dialect() != DotL {
		t.Fatalf("dialect %v", c.Dialect())
	}
	check(t, c.Mkdir(ctx, "a", 0o755))
	data := bytes.Repeat([]byte("0123456789"), 50_000)
	check(t, c.WriteFile(ctx, "a/file", data, 0o644))
	if got, err := os.ReadFile(filepath.Join(dir, "a/file")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrote %d bytes, %v", len(got), err)
	}
	if got, err := c.ReadFile(ctx, "a/file"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	check(t, c.Symlink(ctx, "a/link", "file"))
	st, err := c.Stat(ctx, "a/link")
	if err != nil || st.Qid.Kind != vfs.KindSymlink || st.Target != "file" {
		t.Errorf("Stat = %+v, %v", st, err)
	}
	check(t, c.Rename(ctx, "a/file", "moved"))
	list, err := c.ReadDir(ctx, "a")
	if err != nil || len(list) != 1 || list[0].Name != "link" {
		t.Errorf("ReadDir = %v, %v", list, err)
	}
	// This server answers with the part of the walk that succeeded.
	if _, err := c.Stat(ctx, "a/none/of/these"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of what is not there: %v", err)
	}
}
