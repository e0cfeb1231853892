package gitwork

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
	"github.com/hugelgupf/p9/linux"
)

// smallDisk returns a directory on a file system of its own of a few MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "datakit-test", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk without the right to mount one: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fill leaves a number of bytes free on the disk of dir, at most, and returns
// a function that makes room again.
func fill(t *testing.T, dir string, free int) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	must(t, err)
	defer f.Close()
	block := make([]byte, 4096)
	size := 0
	for {
		n, err := f.Write(block)
		size += n
		if err != nil {
			break
		}
	}
	must(t, f.Truncate(int64(max(0, size-free))))
	return func() { must(t, os.Remove(name)) }
}

// TestFS8_FS121_FullDisk commits with less and less room. A commit that fails
// changes nothing, and can be tried again once there is room.
func TestFS8_FS121_FullDisk(t *testing.T) {
	disk := smallDisk(t)
	repo := clone(filepath.Join(disk, "repo"))
	d := daemon.Start(t, string(repo))
	s := dial(t, d)
	must(t, s.Mkdir("branch/master"))
	must(t, s.Commit("master", "t", "First", map[string]string{"first": "text"}))
	failed, want := 0, []string{"first"}
	for i := range 12 {
		file := fmt.Sprint("file", i)
		tx := "branch/master/transactions/" + file
		must(t, s.Mkdir(tx))
		must(t, s.Create(tx+"/rw/"+file, strings.Repeat(file, 1000)))
		before := repo.git(t, "rev-parse", "master")
		empty := fill(t, disk, (i%6)*4096)
		err := s.Write(tx+"/ctl", "commit")
		if err != nil {
			failed++
			if !errors.Is(err, linux.ENOSPC) {
				t.Errorf("with %d bytes: %v, want %v", (i%6)*4096, err, linux.ENOSPC)
			}
			if now := repo.git(t, "rev-parse", "master"); now != before {
				t.Errorf("the failed commit moved the head to %s", now)
			}
			if text, err := s.Read("branch/master/ro/first"); err != nil || text != "text" {
				t.Errorf("on a full disk, first = %q, %v", text, err)
			}
		}
		empty()
		if err != nil {
			must(t, s.Write(tx+"/ctl", "commit"))
		}
		want = append(want, file)
		checkHas(t, repo, "master", want)
		checkSound(t, repo)
		must(t, d.Running())
	}
	if failed == 0 {
		t.Error("the disk was never full")
	}
}

// TestFS162_FullDiskInATransaction fills the disk by writing into a
// transaction, which loses what was refused and nothing else.
func TestFS162_FullDiskInATransaction(t *testing.T) {
	disk := smallDisk(t)
	repo := clone(filepath.Join(disk, "repo"))
	d := daemon.Start(t, string(repo))
	s := dial(t, d)
	must(t, s.Mkdir("branch/master"))
	must(t, s.Commit("master", "t", "First", map[string]string{"first": "text"}))
	tx := "branch/master/transactions/big"
	must(t, s.Mkdir(tx))
	full := false
	for i := range 4 {
		if err := s.Create(fmt.Sprintf("%s/rw/%d", tx, i), noise(4<<20)); err != nil {
			full = true
			if !errors.Is(err, linux.ENOSPC) {
				t.Errorf("after %d files: %v, want %v", i, err, linux.ENOSPC)
			}
			break
		}
	}
	if !full {
		err := s.Write(tx+"/ctl", "commit")
		t.Logf("16 MiB fit into the transaction; commit: %v", err)
		if err == nil {
			t.Error("16 MiB of noise were committed to a disk of 8 MiB")
		}
	}
	must(t, s.Remove(tx))
	must(t, s.Commit("master", "t", "Second", map[string]string{"second": "text"}))
	checkHas(t, repo, "master", []string{"first", "second"})
	checkSound(t, repo)
}

// noise returns n bytes that do not compress.
func noise(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return string(b)
}
