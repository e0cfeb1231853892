package fsapi_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// node returns what is at a path of a tree in this process.
func (c *conn) node(path string) vfs.Node {
	c.t.Helper()
	return c.find(path).(*treeFid).n
}

func TestFS172_RemoveOnlyEmpty(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.fill(path+"/rw", map[string]string{"dir/f": "x"})
		c.fails("remove of a full directory", c.node(path+"/rw/dir").Remove(c.ctx, false), vfs.ErrNotEmpty)
		c.wantLs(path+"/rw/dir", "f")
		c.must("remove of a file", c.node(path+"/rw/dir/f").Remove(c.ctx, false))
		c.must("remove of an empty directory", c.node(path+"/rw/dir").Remove(c.ctx, false))
		c.fails("remove of rw", c.node(path+"/rw").Remove(c.ctx, false), vfs.ErrReadOnly)
		c.mkdir("remotes/r")
		for _, dir := range []string{path, "branch/master", "remotes/r"} { // only rw is a file system
			c.must("remove of "+dir, c.node(dir).Remove(c.ctx, false))
		}
	})
}

func TestFS169_RenameRoot(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		c.fails("rename of the root", c.node("").Rename(c.ctx, nil, "x"), vfs.ErrRenameRoot)
	})
}

func TestFS178_UseAfterClose(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.mkdir("remotes/r")
		open := c.openFile(path+"/ctl", 0)
		stream := c.openFile("branch/master/reflog", 0)
		transactions, live := c.find("branch/master/transactions"), c.find("branch/master/head.live")
		c.end()
		c.end() // does nothing
		c.fails("commit", open.write(c.ctx, []byte("commit"), 0), vfs.ErrNotExist)
		_, err := stream.read(c.ctx, make([]byte, 100), 0)
		c.fails("read of a stream", err, vfs.ErrNotExist)
		c.fails("mkdir", transactions.mkdir(c.ctx, "new"), vfs.ErrInterrupted)
		c.fails("mkdir of a branch", c.mkdirError("branch/new"), vfs.ErrInterrupted)
		c.fails("mkdir of a remote", c.mkdirError("remotes/new"), vfs.ErrInterrupted)
		c.fails("open of a stream", live.open(c.ctx, 0), vfs.ErrInterrupted)
		stream.clunk()
	})
}

// TestFS214_FS216_BranchRaces makes, renames, removes and commits to a few
// branches from many sides, and looks whether anything is left over.
func TestFS214_FS216_BranchRaces(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		names := []string{"a", "b", "c", "a%2Fx"}
		var wg sync.WaitGroup
		for i := range 3 {
			conn := c.connect()
			for j := range 2 {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(j)))
				wg.Go(func() {
					for k := range 60 {
						stir(conn, rng, names, fmt.Sprintf("%d-%d-%d", i, j, k))
					}
				})
			}
		}
		wg.Wait()
		for _, name := range c.ls("branch") {
			if !slices.Contains(names, name) {
				t.Errorf("branch %q is there", name)
			}
			c.head(name)
			c.ls("branch/" + name + "/ro")
		}
	})
}

// stir does something with a branch, which may fail.
func stir(c *conn, rng *rand.Rand, names []string, id string) {
	name := names[rng.IntN(len(names))]
	branch := "branch/" + name
	switch rng.IntN(5) {
	case 0:
		c.mkdirError(branch)
	case 1:
		c.rename(branch, names[rng.IntN(len(names))])
	case 2:
		c.removeError(branch)
	default:
		t := branch + "/transactions/" + id
		c.mkdirError(branch)
		if c.mkdirError(t) != nil {
			return
		}
		c.createError(t+"/rw/"+id, "x", 0o644)
		if c.shellWrite(t+"/ctl", "commit") != nil {
			c.shellWrite(t+"/ctl", "close")
		}
	}
}
