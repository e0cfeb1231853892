package fsapi_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// rename renames what is at path within its directory.
func (c *conn) rename(path, name string) error {
	return c.with(path, func(f fid) error { return f.rename(c.ctx, name) })
}

// move renames what is at path to a name in another directory.
func (c *conn) move(path, dir, name string) error {
	return c.with(path, func(f fid) error {
		return c.with(dir, func(d fid) error { return f.renameTo(c.ctx, d, name) })
	})
}

func TestFS112_FST9_Rename(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.fill(rw, map[string]string{"new": "1", "dir/precious": "2", "other": "3"})
		c.fails("rename to a directory", c.rename(rw+"/new", "dir"), vfs.ErrIsDir)
		c.wantCat(rw+"/new", "1")
		c.wantCat(rw+"/dir/precious", "2")
		c.must("rename to a file", c.rename(rw+"/new", "other"))
		c.wantLs(rw, "dir", "other")
		c.wantCat(rw+"/other", "1")
		c.must("rename to itself", c.rename(rw+"/other", "other"))
		c.mkdir(rw + "/empty")
		c.must("rename to an empty directory", c.rename(rw+"/dir", "empty"))
		c.wantLs(rw, "empty", "other")
		c.wantCat(rw+"/empty/precious", "2")
		c.mkdir(rw + "/empty2")
		c.fails("rename of a file to an empty directory", c.rename(rw+"/other", "empty2"), vfs.ErrIsDir)
		c.fails("rename to a full directory", c.rename(rw+"/empty2", "empty"), vfs.ErrIsDir)
		c.fails("rename of rw", c.rename(rw, "x"), vfs.ErrDirReadOnly)

		gone := c.find(rw + "/other")
		c.remove(rw + "/other")
		c.fails("rename of what is gone", gone.rename(c.ctx, "x"), vfs.ErrNotExist)
		gone.clunk()
	})
}

func TestFS112_MoveBetweenDirectories(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		if !c.moves() {
			t.Skip("only 9P2000.L can move between directories")
		}
		rw := c.begin("master", "t") + "/rw"
		c.fill(rw, map[string]string{"a/f": "1", "b/f": "2", "b/g": "3"})
		held := c.openFile(rw+"/a/f", 0)
		defer held.clunk()
		c.must("move", c.move(rw+"/a/f", rw+"/b", "g"))
		c.wantLs(rw + "/a")
		c.wantLs(rw+"/b", "f", "g")
		if got, err := readAll(c.ctx, held, 10); got != "1" || err != nil {
			t.Errorf("the fid of what was moved reads %q, %v", got, err)
		}
		c.must("move of a directory", c.move(rw+"/b", rw+"/a", "c"))
		if got, err := readAll(c.ctx, held, 10); got != "1" || err != nil {
			t.Errorf("the fid below what was moved reads %q, %v", got, err)
		}
		c.wantLs(rw+"/a/c", "f", "g")
		c.fails("move into itself", c.move(rw+"/a", rw+"/a/c", "x"), vfs.BadName("x"))
		other := c.begin("master", "u") + "/rw"
		for _, dir := range []string{other, "branch", "branch/master/transactions/t", "branch/master/ro"} {
			c.fails("move to "+dir, c.move(rw+"/a", dir, "x"), vfs.ErrCrossDevice)
		}
		c.fails("move of another file", c.move("branch/master/head", rw, "x"), vfs.ErrCrossDevice)
		c.fails("move of a branch", c.move("branch/master", "remotes", "x"), vfs.ErrCrossDevice)
	})
}

func TestFS113_FidsFollowRename(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.fill(rw, map[string]string{"a/b/f": "1", "x": "replaced", "c/f": "decoy"})
		dir, file, replaced := c.find(rw+"/a/b"), c.openFile(rw+"/a/b/f", 0), c.find(rw+"/x")
		for _, f := range []fid{dir, file, replaced} {
			defer f.clunk()
		}
		c.must("rename", c.rename(rw+"/a/b/f", "g"))
		c.must("rename", c.rename(rw+"/a", "a2"))
		c.must("rename", c.rename(rw+"/c", "a"))
		c.must("write", file.write(c.ctx, []byte("22"), 0))
		c.wantCat(rw+"/a2/b/g", "22")
		if names, err := dir.list(c.ctx); !slices.Equal(names, []string{"g"}) || err != nil {
			t.Errorf("the directory lists %q, %v", names, err)
		}
		if st, err := file.stat(c.ctx); err != nil || c.names() && st.Name != "g" {
			t.Errorf("stat: %+v, %v", st, err)
		}
		up, err := dir.walk(c.ctx, "..", "..", "a2")
		c.must("walk up", err)
		up.clunk()

		c.must("rename", c.rename(rw+"/a2", "x"))
		_, err = replaced.stat(c.ctx)
		c.fails("stat of what was replaced", err, vfs.ErrNotExist)
		c.wantCat(rw+"/x/b/g", "22")
	})
}

func TestFS114_FidsIdentifyEntries(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.put(rw+"/f", "old")
		open, held := c.openFile(rw+"/f", 0), c.find(rw+"/f")
		c.remove(rw + "/f")
		c.put(rw+"/f", "new")
		c.fails("write", open.write(c.ctx, []byte("x"), 0), vfs.ErrNotExist)
		_, err := open.read(c.ctx, make([]byte, 1), 0)
		c.fails("read", err, vfs.ErrNotExist)
		_, err = held.stat(c.ctx)
		c.fails("stat", err, vfs.ErrNotExist)
		c.fails("truncate", held.truncate(c.ctx, 0), vfs.ErrNotExist)
		c.fails("chmod", held.chmod(c.ctx, vfs.Mode{Perm: 0o755}), vfs.ErrNotExist)
		c.fails("open", held.open(c.ctx, 0), vfs.ErrNotExist)
		c.fails("remove", held.remove(c.ctx), vfs.ErrNotExist)
		open.clunk()
		c.wantCat(rw+"/f", "new")
	})
}

func TestFS214_RenameAndRemoveRaces(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		for i := range 20 {
			name := fmt.Sprint("e", i)
			if i%2 == 0 {
				c.mkdir(rw + "/" + name)
			} else {
				c.put(rw+"/"+name, "x")
			}
			a, b := c.find(rw+"/"+name), c.find(rw+"/"+name)
			var wg sync.WaitGroup
			var errA, errB error
			wg.Go(func() { errA = a.rename(c.ctx, name+"-a") })
			wg.Go(func() {
				if i%4 < 2 {
					errB = b.rename(c.ctx, name+"-b")
				} else {
					errB = b.remove(c.ctx)
				}
			})
			wg.Wait()
			for _, err := range []error{errA, errB} {
				if err != nil && !c.same(err, vfs.ErrNotExist) {
					t.Errorf("error %v", err)
				}
			}
			var left []string
			for _, n := range c.ls(rw) {
				if strings.HasPrefix(n, name) {
					left = append(left, n)
				}
			}
			if len(left) > 1 || errB != nil && len(left) == 0 {
				t.Errorf("%q are left after %v and %v", left, errA, errB)
			}
			for _, n := range left {
				c.remove(rw + "/" + n)
			}
		}
	})
}
