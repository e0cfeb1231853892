//go:build linux || darwin

package fuse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/fuse"
	"github.com/datakit/datakit/internal/mountpoint"
	"github.com/datakit/datakit/memdb"
)

// patience is how long a test waits for what should happen at once.
const patience = 30 * time.Second

// serveAt is the variable that makes the test program serve a mount, as a
// process must not use one of its own.
const serveAt = "DATAKIT_TEST_MOUNT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveAt); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// serve mounts a database in memory, and obeys the lines that it reads until
// the mount ends or there are no more:
//
//	put BRANCH FILE TEXT   commits, as somebody else would
//	rm BRANCH FILE
//	drain, cancel          as Mount does
//	open                   tells how many transactions and streams are open
//
// It answers each with a line.
func serve(dir string) error {
	db := memdb.New(nil)
	files := fsapi.New(db, nil)
	session := files.NewSession()
	m, err := fuse.New(session.Root(), dir, nil)
	if err != nil {
		return err
	}
	fmt.Println("mounted")
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			lines <- in.Text()
		}
		close(lines)
	}()
	for open := true; open; {
		select {
		case <-m.Done():
			open = false
		case line, ok := <-lines:
			if !ok {
				mountpoint.Detach(dir)
				lines = nil
				continue
			}
			if err := obey(db, files, m, strings.Fields(line)); err != nil {
				fmt.Println(err)
			} else {
				fmt.Println("done")
			}
		}
	}
	session.Close()
	fmt.Printf("left: %d transactions, %d streams\n", files.Transactions(), files.Streams())
	return errors.Join(db.Close(), goleak.Find(goleak.IgnoreAnyFunction("github.com/datakit/datakit/fuse_test.serve.func1")))
}

func obey(db *datakit.DB, files *fsapi.FS, m *fuse.Mount, args []string) error {
	ctx := context.Background()
	switch args[0] {
	case "put":
		return db.Branch(args[1]).Update(ctx, "put", func(tx *datakit.Tx) error {
			file := datakit.Path(args[2])
			if err := tx.MkdirAll(ctx, file.Dir()); err != nil {
				return err
			}
			return tx.Create(ctx, file, datakit.Normal, []byte(args[3]))
		})
	case "rm":
		return db.Branch(args[1]).Update(ctx, "rm", func(tx *datakit.Tx) error {
			return tx.Remove(ctx, datakit.Path(args[2]))
		})
	case "drain":
		m.Drain()
	case "cancel":
		m.Cancel()
	case "open":
		return fmt.Errorf("%d transactions, %d streams", files.Transactions(), files.Streams())
	}
	return nil
}

// A mount is one that another process serves.
type mount struct {
	t   *testing.T
	dir string
	in  io.Writer
	out chan string
	cmd *exec.Cmd

	ended chan struct{} // closed when the process has ended
	err   error         // of the process
}

// start mounts a database in memory, unless this machine cannot.
func start(t *testing.T) *mount {
	t.Helper()
	if err := mountpoint.CheckFUSE(); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "fuse")
	if err != nil {
		t.Fatal(err)
	}
	m := &mount{t: t, dir: dir, cmd: exec.Command(os.Args[0]), out: make(chan string, 100), ended: make(chan struct{})}
	m.cmd.Env = append(os.Environ(), serveAt+"="+dir, "GORACE=atexit_sleep_ms=0")
	m.cmd.Stderr = os.Stderr
	stdin, err := m.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.in = stdin
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			m.out <- lines.Text()
		}
		m.err = m.cmd.Wait()
		close(m.ended)
	}()
	t.Cleanup(m.cleanUp)
	if line := m.line(); line != "mounted" {
		if strings.Contains(line, "operation not permitted") {
			t.Skip("mounting is not allowed here: " + line)
		}
		t.Fatal(line)
	}
	return m
}

// cleanUp ends the mount, come what may. It must not wait for the kernel: a
// detached mount is aborted, and a killed server answers nobody.
func (m *mount) cleanUp() {
	detached := make(chan error, 1)
	go func() { detached <- mountpoint.Detach(m.dir) }()
	select {
	case <-detached:
	case <-time.After(patience):
		m.t.Error("cannot detach the mount")
	}
	if !m.hasEnded(patience) {
		m.t.Error("the server does not end with the mount")
		m.cmd.Process.Signal(syscall.SIGQUIT) // so that it says what it waits for
		if m.hasEnded(patience) {
			return
		}
		m.cmd.Process.Kill()
		m.hasEnded(patience)
	}
	os.Remove(m.dir)
}

func (m *mount) hasEnded(limit time.Duration) bool {
	select {
	case <-m.ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// line returns the next line that the server says.
func (m *mount) line() string {
	m.t.Helper()
	select {
	case line := <-m.out:
		return line
	case <-time.After(patience):
		m.t.Fatal("the server says nothing")
		return ""
	}
}

// tell has the server obey, and returns its answer.
func (m *mount) tell(format string, args ...any) string {
	m.t.Helper()
	fmt.Fprintf(m.in, format+"\n", args...)
	return m.line()
}

// sh runs a script in the mount and returns what it printed. It must succeed.
func (m *mount) sh(script string) string {
	m.t.Helper()
	out, err := m.try(script)
	if err != nil {
		m.t.Fatalf("%s\n%s\n%v", script, out, err)
	}
	return out
}

// try is sh for what may fail.
func (m *mount) try(script string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// The shell changes the directory, not the process it is forked from.
	cmd := exec.CommandContext(ctx, "sh", "-c", `cd "$0" && `+script, m.dir)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

// is fails the test unless the script prints want.
func (m *mount) is(script, want string) {
	m.t.Helper()
	if got := m.sh(script); got != want {
		m.t.Errorf("%s\nprints %q, want %q", script, got, want)
	}
}
