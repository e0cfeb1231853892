package refdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// killEnv has the directory that a process made by a test is to use.
const killEnv = "REFDB_TEST_KILLED_IN"

// beKilled holds locks, says so, and waits to be killed.
func beKilled() {
	db, err := Open(os.Getenv(killEnv), nil)
	if err != nil {
		panic(err)
	}
	h, err := datakit.ParseHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	old, err := db.Head(ctx, "master")
	if err != nil {
		panic(err)
	}
	p := db.Prepare(ctx, []store.Update{{Branch: "a/b/c", New: h}, {Branch: "master", Old: old}})
	fmt.Println(p.Errs())
	select {}
}

// TestFS7_LocksOfAKilledServerAreRemoved kills a process that holds locks.
func TestFS7_LocksOfAKilledServerAreRemoved(t *testing.T) {
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/master", c[0].String())
	git(t, dir, "update-ref", "refs/heads/other", c[0].String())
	git(t, dir, "pack-refs", "--all")
	foreignLock := dir + "/refs/heads/other.lock"
	if err := os.WriteFile(foreignLock, nil, 0o666); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	n, _ := out.Read(said)
	if got := string(said[:n]); got != "[<nil> <nil>]\n" {
		t.Errorf("the process says %q", got)
	}

	beside := openDB(t, dir)
	for _, name := range []string{"a/b/c", "master"} {
		if got := apply(t, beside, up(name, head(t, beside, name), c[1]))[0]; !errors.Is(got, datakit.Locked) {
			t.Errorf("update of %s that a living process has locked: %v, want %v", name, got, datakit.Locked)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()

	after := openDB(t, dir)
	mustApply(t, after, up("a/b/c", zero, c[1]), up("master", c[0], zero))
	if got := apply(t, after, up("other", c[0], c[1]))[0]; !errors.Is(got, datakit.Locked) {
		t.Errorf("update under the lock of another program: %v, want %v", got, datakit.Locked)
	}
	if _, err := os.Stat(foreignLock); err != nil {
		t.Errorf("the lock of another program: %v", err)
	}
}
