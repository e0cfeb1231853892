package fsapi_test

import (
	"strings"
	"testing"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A class says what happens to the directories of one row of section 2.3. A
// nil error means success.
type class struct {
	dirs                          []string // with T for the path of a transaction, H for a commit
	create, mkdir, rename, remove error
}

var classes = []class{
	{
		[]string{"", "debug", "debug/src", "commits", "snapshots", "snapshots/H", "trees", "branch/master/diff", "snapshots/H/diff", "T/diff"},
		vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly,
	},
	{
		[]string{"branch/master/watch", "branch/master/watch/dir.node", "branch/master/ro", "branch/master/ro/dir", "snapshots/H/ro/dir",
			"T/ours", "T/theirs/dir", "T/base", "trees/D-" + emptyTree},
		vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly,
	},
	{[]string{"branch"}, vfs.ErrDirOnly, nil, nil, vfs.ErrDirReadOnly},
	{[]string{"branch/gone"}, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, nil},
	{[]string{"branch/master/transactions"}, vfs.ErrDirOnly, nil, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly},
	{[]string{"T/rw"}, nil, nil, nil, vfs.ErrReadOnly},
	{[]string{"T/rw/dir"}, nil, nil, nil, nil},
	{[]string{"T"}, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, nil},
	{[]string{"remotes"}, vfs.ErrDirOnly, nil, nil, vfs.ErrDirReadOnly},
	{[]string{"remotes/gone"}, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, vfs.ErrDirReadOnly, nil},
}

// children has something to rename in each directory that has something.
var children = map[string]string{
	"": "branch", "debug": "src", "snapshots/H": "hash", "branch": "child", "branch/master/watch": "tree.live",
	"branch/master/watch/dir.node": "tree.live", "branch/master/ro": "dir", "branch/master/ro/dir": "f", "snapshots/H/ro/dir": "f",
	"T/ours": "dir", "T/theirs/dir": "f", "T/base": "dir", "branch/gone": "head", "branch/master/transactions": "t", "T/rw": "child", "T/rw/dir": "f",
	"T": "msg", "remotes": "child", "remotes/gone": "url",
}

func TestFS33_FS160_ClassesOfDirectories(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"dir/f": "x"})
		path := c.begin("master", "t")
		c.echo(h, path+"/merge")
		for _, dir := range []string{"branch/gone", "branch/child", "remotes/gone", "remotes/child", path + "/rw/child"} {
			c.mkdir(dir)
		}
		full := strings.NewReplacer("T/", path+"/", "H", h)
		for _, class := range classes {
			for _, name := range class.dirs {
				dir := full.Replace(name)
				if name == "T" {
					dir = path
				}
				c.fails("create in "+name, c.createError(dir+"/new1", "", 0o644), class.create)
				if c.symlinks() {
					err := c.with(dir, func(f fid) error { return f.symlink(c.ctx, "new2", "x") })
					c.fails("symlink in "+name, err, class.create)
				}
				c.fails("mkdir in "+name, c.mkdirError(dir+"/new3"), class.mkdir)
				if child, ok := children[name]; ok {
					c.fails("rename in "+name, c.rename(strings.TrimPrefix(dir+"/"+child, "/"), "new4"), class.rename)
				}
				if name != "" || c.direct { // a client keeps the fid of the root
					c.fails("remove of "+name, c.removeError(dir), class.remove)
				}
			}
		}
	})
}

func TestFS90_FS156_ClassesOfFiles(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "x"})
		path := c.begin("master", "t")
		c.echo(h, path+"/merge")
		c.mkdir("remotes/r")
		type file struct {
			name                              string
			write, zero, one, normal, special error
			remove                            error
		}
		ro := func(name string) file {
			return file{name, vfs.ErrReadOnly, vfs.ErrReadOnly, vfs.ErrReadOnly, vfs.ErrReadOnly, vfs.ErrReadOnly, vfs.ErrReadOnly}
		}
		command := func(name string, write error) file {
			return file{name, write, nil, vfs.ErrCommandLength, nil, vfs.ErrSpecialMode, vfs.ErrPermission}
		}
		text := func(name string) file { return file{name, nil, nil, nil, nil, vfs.ErrSpecialMode, vfs.ErrReadOnly} }
		badHash := vfs.Errorf(vfs.ENOENT, `invalid-hash "x"`)
		for _, f := range []file{
			ro("snapshots/" + h + "/hash"), ro("snapshots/" + h + "/msg"), ro("snapshots/" + h + "/parents"), ro("snapshots/" + h + "/ro/f"),
			ro("commits/" + h), ro("branch/master/head"), ro("branch/master/head.live"), ro("branch/master/reflog"),
			ro("branch/master/watch/tree.live"), ro("branch/master/diff/" + h), ro("branch/master/ro/f"), ro(path + "/diff/" + h),
			ro(path + "/origin"), ro(path + "/conflicts"), ro(path + "/ours/f"), ro("remotes/r/head"),
			command("branch/master/fast-forward", badHash), command(path+"/merge", badHash),
			command(path+"/ctl", vfs.Errorf(vfs.EINVAL, `Unknown command "x"`)),
			command("remotes/r/fetch", vfs.Errorf(vfs.EINVAL, "error: remote url is not defined")),
			text(path + "/msg"), text(path + "/parents"), text("remotes/r/url"),
		} {
			on := func(what string, want error, op func(fid) error) {
				t.Helper()
				c.fails(what+" of "+f.name, c.with(f.name, op), want)
			}
			on("write", f.write, func(g fid) error { return c.openWrite(g, "x") })
			on("length 0", f.zero, func(g fid) error { return g.truncate(c.ctx, 0) })
			on("length 1", f.one, func(g fid) error { return g.truncate(c.ctx, 1) })
			on("truncating open", f.zero, func(g fid) error { return g.open(c.ctx, p9.Truncate) })
			on("chmod", f.normal, func(g fid) error { return g.chmod(c.ctx, vfs.Mode{Perm: 0o644}) })
			on("chmod +x", f.special, func(g fid) error { return g.chmod(c.ctx, vfs.Mode{Perm: 0o755}) })
			c.fails("remove of "+f.name, c.removeError(f.name), f.remove)
			c.fails("rename of "+f.name, c.rename(f.name, "new"), vfs.ErrDirReadOnly)
		}
	})
}

func TestFS36_PermissionsShown(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.mkdir("remotes/r")
		for _, dir := range []string{"", "branch", "branch/master", "branch/master/transactions", path, path + "/rw", "remotes/r", "debug/src"} {
			if st := c.stat(dir); st.Perm != 0o775 || st.Size != 0 || st.Qid.Kind != vfs.KindDir {
				t.Errorf("stat of directory %q: %+v", dir, st)
			}
		}
		for _, file := range []string{"branch/master/head", "branch/master/reflog", path + "/ctl", path + "/msg", "remotes/r/fetch"} {
			if st := c.stat(file); st.Perm != 0o664 || st.Qid.Kind != vfs.KindFile {
				t.Errorf("stat of file %q: %+v", file, st)
			}
		}
	})
}
