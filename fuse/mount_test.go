//go:build linux || darwin

package fuse_test

import (
	"testing"
)

func TestFS44_Root(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put a f text")
	m.is("cat branch/a/ro/f", "text")
	m.is("ls", "branch\ncommits\ndebug\nremotes\nsnapshots\ntrees")
	m.is("mkdir branch/b && cat branch/b/head", "")
	m.is("mkdir branch/b/transactions/t && cd branch/b/transactions/t && echo hi >rw/f && echo msg >msg && echo commit >ctl && cd ../.. && cat ro/f && cat snapshots/$(cat head)/msg 2>/dev/null || cat ../../snapshots/$(cat head)/msg", "hi\nmsg\n")
}
