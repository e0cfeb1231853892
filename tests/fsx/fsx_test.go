package fsx

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/tests/daemon"
)

// soakOps is how many operations "make soak" does in each test, of which it
// tells by the variable SOAK.
const soakOps = 1_000_000

var (
	ops  = flag.Int("ops", 0, "how many operations to do in each test; 0 means some thousands")
	seed = flag.Uint64("seed", 0, "seed of the operations; 0 means another one each time")
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// operate does the operations.
func operate(t *testing.T, tree tree) {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	n := *ops
	switch {
	case n > 0:
	case os.Getenv("SOAK") != "":
		n = soakOps
	case daemon.Race:
		n = 1_000 // takes as long as some thousands otherwise
	default:
		n = 4_000
	}
	if err := run(tree, s, n); err != nil {
		t.Fatal(err)
	}
}

func newRepository(t *testing.T) string {
	t.Helper()
	repo := filepath.Join(t.TempDir(), "repo")
	if out, err := exec.Command("git", "init", "-q", "--bare", repo).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return repo
}

// TestFS106_FUSE works in the FUSE mount of a repository.
func TestFS106_FUSE(t *testing.T) {
	t.Parallel()
	m := daemon.MountOn(t, t.TempDir(), "--git", newRepository(t))
	tree, err := newMountTree(filepath.Join(m.Dir, "branch/b"))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	operate(t, tree)
}

// TestFS106_FUSEOfServer works in the FUSE mount of a server.
func TestFS106_FUSEOfServer(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	m := daemon.MountOn(t, t.TempDir(), "--via", "fuse", "--addr", "file://"+d.Addr)
	tree, err := newMountTree(filepath.Join(m.Dir, "branch/b"))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	operate(t, tree)
}

// TestFS106_9P works over a connection to a server.
func TestFS106_9P(t *testing.T) {
	t.Parallel()
	d := daemon.Start(t, newRepository(t))
	c, err := p9.Dial(t.Context(), "unix", d.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tree, err := newClientTree(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	operate(t, tree)
}

// TestModel: the comparison finds no fault with an ordinary directory, and one
// with a tree that loses a byte.
func TestModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := &mountTree{open: make(map[string]*os.File), rw: dir}
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	if err := run(ordinary{tree}, 1, 1_900); err != nil {
		t.Errorf("an ordinary directory: %v", err)
	}
	tree.rw = t.TempDir()
	if err := os.Mkdir(filepath.Join(tree.rw, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	tree.close()
	if err := run(&lossy{tree: ordinary{tree}}, 1, 1_900); err == nil {
		t.Error("a byte that was not written is not missed")
	}
}

// lossy loses bytes.
type lossy struct {
	tree
	writes int
}

func (l *lossy) append(name string, data []byte) error {
	if l.writes++; l.writes >= 50 {
		data = data[:max(0, len(data)-1)]
	}
	return l.tree.append(name, data)
}

// ordinary is a mountTree where there is nothing to commit.
type ordinary struct{ *mountTree }

func (ordinary) renew() error { return nil }
