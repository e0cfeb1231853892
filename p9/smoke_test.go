package p9

import "testing"

func TestSmoke(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/b", "hello")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "a/b")
		if got := c.read(1, 0, 100); got != "hello" {
			t.Errorf("read %q", got)
		}
		c.write(1, 5, " world")
		if got := c.read(1, 0, 100); got != "hello world" {
			t.Errorf("read %q", got)
		}
		c.ok(tclunk, 1, u32(1))
	})
}
