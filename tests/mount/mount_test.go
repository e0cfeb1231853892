// Package mount uses the tree through "datakit mount", as shells do.
package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit/internal/mountpoint"
	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

const (
	// patience is how long a test waits for what should happen at once.
	patience = 60 * time.Second

	// recipeTime is how long all recipes may take on one mount.
	recipeTime = 5 * time.Minute
)

// recipes are functions of the kernel tests' recipes.sh.
var recipes = []string{
	"FS44_Root", "FS92_FS119_Commit", "FS118_Close", "FS106_Edit", "FS164_LargeFile",
	"FS109_FS110_Directories", "FS108_Symlinks", "FS111_Chmod", "FS112_Move", "FS112_FS172_EditorSave",
	"FS107_CopyTree", "FS107_GitClone", "FS28_BranchNamesWithSlash", "FS47_FS48_Branches",
	"FS53_FastForward", "FS55_FS102_Diff", "FS123_FS132_Merge", "FS119_ConflictAtCommit",
	"FS51_HeadLive", "FS59_TreeLive", "FS52_Reflog", "FS63_FS67_Snapshots", "FS72_Levels",
	"FS165_LongListing", "FS217_Errors",
}

// TestFS33_Recipes runs the recipes in FUSE mounts, of a repository and of a
// server. Then git finds the repositories in order.
func TestFS33_Recipes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, kind := range []string{"repository", "server"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			repo := newRepository(t)
			from := []string{"--git", repo}
			if kind == "server" {
				from = []string{"--via", "fuse", "--addr", "file://" + daemon.Start(t, repo).Addr}
			}
			m := daemon.MountOn(t, newDir(t, root, kind), from...)
			var jobs []string
			for _, r := range recipes {
				jobs = append(jobs, kind+"/"+r)
			}
			out := runFor(t, recipeTime, "bash", append([]string{"../kernel/testdata/recipes.sh"}, jobs...), "ROOT="+root, "T="+t.TempDir())
			for _, job := range jobs {
				t.Run(job, func(t *testing.T) { verdict(t, out, job) })
			}
			m.Signal(syscall.SIGTERM)
			if status, out := m.Wait(t); status != 0 {
				t.Errorf("datakit mount ended with status %d\n%s", status, out)
			}
			run(t, "git", []string{"-C", repo, "fsck", "--strict"})
		})
	}
}

// verdict fails the test if the job did.
func verdict(t *testing.T, out, job string) {
	_, rest, ok := strings.Cut(out, "=== "+job+"\n")
	printed, rest, ended := strings.Cut(rest, "--- "+job+" ")
	status, _, _ := strings.Cut(rest, "\n")
	if !ok || !ended || status != "0" {
		t.Errorf("status %q; it printed:\n%s", status, printed)
	}
}

// newRepository makes a repository that a mount can use.
func newRepository(t *testing.T) string {
	t.Helper()
	repo := filepath.Join(t.TempDir(), "repo")
	run(t, "git", []string{"init", "-q", "--bare", repo})
	return repo
}

// newDir makes a directory to mount on.
func newDir(t *testing.T, parent, name string) string {
	t.Helper()
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a program, which must succeed and not take for ever, and returns
// what it printed.
func run(t *testing.T, name string, args []string, env ...string) string {
	t.Helper()
	return runFor(t, patience, name, args, env...)
}

// runFor is run with a time of its own.
func runFor(t *testing.T, limit time.Duration, name string, args []string, env ...string) string {
	t.Helper()
	out, err := try(limit, name, args, env...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// try is run for what may fail.
func try(limit time.Duration, name string, args []string, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

// sh runs a script in a directory.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	return run(t, "sh", []string{"-ec", `cd "$0"; ` + script, dir})
}

// unmounted fails the test if something is mounted on dir, or it is gone.
func unmounted(t *testing.T, dir string) {
	t.Helper()
	if at, ok := mountpoint.Of(dir); ok {
		t.Errorf("%s is still mounted on %s", at.Type, dir)
	}
	if list, err := os.ReadDir(dir); len(list) > 0 || err != nil {
		t.Errorf("%s has %d entries, %v", dir, len(list), err)
	}
}

// wantEnd waits for the end of a mount.
func wantEnd(t *testing.T, m *daemon.Mount, wantStatus int, wantOut string) {
	t.Helper()
	status, out := m.Wait(t)
	if status != wantStatus || !strings.Contains(out, wantOut) {
		t.Errorf("it ended with status %d and said\n%s\nwant status %d and %q", status, out, wantStatus, wantOut)
	}
	unmounted(t, m.Dir)
}

// put is a script that commits a file, and begin one that begins.
const (
	begin = `mkdir -p branch/b; mkdir branch/b/transactions/t; echo x >branch/b/transactions/t/rw/x; `
	put   = begin + `echo commit >branch/b/transactions/t/ctl; `
)

func TestFS178_UnmountBySignal(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		repo := newRepository(t)
		m := daemon.MountOn(t, newDir(t, t.TempDir(), "a b\\c"), "--git", repo)
		sh(t, m.Dir, begin)
		m.Signal(sig)
		wantEnd(t, m, 0, "mounted git://"+repo+" on "+m.Dir+" with FUSE")
		if out := run(t, "git", []string{"-C", repo, "for-each-ref"}); out != "" {
			t.Errorf("the transaction left %s", out)
		}
	}
}

func TestFS178_UnmountByUmount(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
	sh(t, m.Dir, begin)
	run(t, "umount", []string{m.Dir})
	wantEnd(t, m, 0, "mounted ")
}

// wait starts a cat of a stream, and returns when it has delivered.
func wait(t *testing.T, dir string) (done <-chan error, cmd *exec.Cmd) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd = exec.Command("cat", filepath.Join(dir, "branch/b/head.live"))
	cmd.Stdout = f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if text, _ := os.ReadFile(out); len(text) > 0 {
			return ended, cmd
		}
		if time.Since(start) > patience {
			t.Fatal("head.live delivers nothing")
		}
	}
}

// ends waits for the end of a program.
func ends(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

// TestFS178_UnmountBusy ends a mount that programs use: those that wait for news
// are told, those that only are there are not waited for for ever.
func TestFS178_UnmountBusy(t *testing.T) {
	t.Parallel()
	m := daemon.MountOn(t, t.TempDir(), "--git", newRepository(t))
	sh(t, m.Dir, put)
	reading, _ := wait(t, m.Dir)
	stay := exec.Command("sh", "-c", `cd "$0" && exec sleep 600`, m.Dir)
	if err := stay.Start(); err != nil {
		t.Fatal(err)
	}
	defer stay.Wait()
	defer stay.Process.Kill()
	m.Signal(syscall.SIGINT)
	var exit *exec.ExitError
	if err := ends(t, reading); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("cat ended with %v", err)
	}
	wantEnd(t, m, 0, "mounted ")
}

// TestFS202_SecondSignal does not wait.
func TestFS202_SecondSignal(t *testing.T) {
	t.Parallel()
	m := daemon.MountOn(t, t.TempDir(), "--git", newRepository(t))
	f, err := os.Open(filepath.Join(m.Dir, "branch"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // keeps it busy
	m.Signal(syscall.SIGINT)
	time.Sleep(100 * time.Millisecond) // two at once would be one
	m.Signal(syscall.SIGINT)
	status, _ := m.Wait(t)
	if status != 0 && status != 1 {
		t.Errorf("status %d", status)
	}
	unmounted(t, m.Dir)
}

// TestFS82_CtrlC interrupts a cat that waits for a server's news.
func TestFS82_CtrlC(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
	sh(t, m.Dir, put)
	reading, cat := wait(t, m.Dir)
	cat.Process.Signal(os.Interrupt)
	ends(t, reading)
	run(t, "umount", []string{m.Dir}) // nobody uses it
	wantEnd(t, m, 0, "mounted ")
}

// TestFS178_ServerKilled loses the server behind a mount.
func TestFS178_ServerKilled(t *testing.T) {
	t.Parallel()
	addr := filepath.Join(shortDir(t), "s")
	d, err := daemon.Launch(newRepository(t), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Kill()
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+addr)
	sh(t, m.Dir, put)
	reading, _ := wait(t, m.Dir)
	d.Kill()
	ends(t, reading)
	wantEnd(t, m, 5, "connection lost to file://"+addr+": unmounted "+m.Dir)
}

// shortDir makes a directory whose path is short enough for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestFS178_MounterKilled leaves a stale mount, of which the next is told.
func TestFS178_MounterKilled(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	m := daemon.MountOn(t, t.TempDir(), "--git", repo)
	sh(t, m.Dir, put)
	reading, _ := wait(t, m.Dir)
	m.Signal(os.Kill)
	m.Wait(t)
	ends(t, reading)
	_, out := daemon.Run(t, "mount", "--git", repo, m.Dir)
	if want := m.Dir + " is a stale mount, whose server is gone: remove it with: "; !strings.Contains(out, want) {
		t.Errorf("it says %q, want %q", out, want)
	}
	run(t, "umount", []string{"-l", m.Dir})
	again := daemon.MountOn(t, m.Dir, "--git", repo)
	if got := sh(t, m.Dir, "cat branch/b/ro/x"); got != "x" {
		t.Errorf("read %q", got)
	}
	again.Signal(syscall.SIGTERM)
	wantEnd(t, again, 0, "mounted ")
}

// TestFS164_ChangedFileOfServer reads in order what is not committed yet, which
// must not be fetched as a whole for each piece.
func TestFS164_ChangedFileOfServer(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
	data := filepath.Join(t.TempDir(), "data")
	sh(t, m.Dir, begin+`head -c 32000000 /dev/urandom >"`+data+`"; cd branch/b/transactions/t/rw; cp "`+data+`" f; cmp "`+data+`" f`)
}

// TestFS54_ChangedAtServer reads a file of a branch after each of some changes
// that leave its length as it is.
func TestFS54_ChangedAtServer(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
	got := sh(t, m.Dir, `mkdir branch/b; for i in 1 2 3; do
		mkdir branch/b/transactions/t; echo $i >branch/b/transactions/t/rw/f; echo commit >branch/b/transactions/t/ctl
		cat branch/b/ro/f; done`)
	if got != "1\n2\n3" {
		t.Errorf("read %q", got)
	}
}

// TestFS215_TwoMounts commit on one branch of a server at once.
func TestFS215_TwoMounts(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, repo)
	const commits = 20
	var running sync.WaitGroup
	for i := range 2 {
		m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
		running.Go(func() {
			out, err := try(2*patience, "sh", []string{"-ec", fmt.Sprintf(`cd "$0"; mkdir -p branch/b; i=0
				while [ $i -lt %d ]; do
					mkdir branch/b/transactions/t; cd branch/b/transactions/t
					echo %d >rw/%d.$i; echo commit >ctl; cd "$0"; i=$((i+1))
				done`, commits, i, i), m.Dir})
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	running.Wait()
	files := run(t, "git", []string{"-C", repo, "ls-tree", "--name-only", "b"})
	if n := len(strings.Fields(files)); n != 2*commits {
		t.Errorf("%d files, want %d", n, 2*commits)
	}
}

// TestFS178_BadMounts: one line says what to do.
func TestFS178_BadMounts(t *testing.T) {
	t.Parallel()
	if err := mountpoint.CheckFUSE(); err != nil {
		t.Skip(err)
	}
	repo, dir := newRepository(t), t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	empty := newDir(t, dir, "empty")
	used := daemon.MountOn(t, newDir(t, dir, "used"), "--git", repo)
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--git", repo, filepath.Join(dir, "none")}, 1, "does not exist: make it with: mkdir -p"},
		{[]string{"--git", repo, file}, 1, "is not a directory"},
		{[]string{"--git", repo, filepath.Join(file, "x")}, 1, "is not a directory"},
		{[]string{"--git", repo, dir}, 1, "is not empty"},
		{[]string{"--git", repo, used.Dir}, 1, "is in use: fuse.datakit is mounted there; unmount that with: umount " + used.Dir},
		{[]string{"--git", filepath.Join(dir, "none"), empty}, 3, "there is no Git repository"},
		{[]string{"--git", repo, "--via", "kernel", empty}, 1, "start one with datakit serve, or use --via fuse"},
		{[]string{"--git", repo, "--via", "magic", empty}, 2, "use auto, kernel or fuse"},
		{[]string{"--addr", "nonsense", empty}, 2, "use tcp://HOST:PORT, unix://SOCKET or git://PATH"},
		{[]string{"--addr", "tcp://localhost:port", empty}, 2, "use tcp://host:port"},
		{[]string{"--addr", "file://" + filepath.Join(dir, "none"), empty}, 5, "is a server running there?"},
		{nil, 2, "name one directory to mount on"},
	} {
		status, out := daemon.Run(t, append([]string{"mount"}, tt.args...)...)
		if status != tt.status || !strings.Contains(out, tt.want) || strings.Count(out, "\n") != 1 {
			t.Errorf("datakit mount %q: status %d\n%s\nwant status %d and one line with %q", tt.args, status, out, tt.status, tt.want)
		}
	}
	unmounted(t, empty)
}
