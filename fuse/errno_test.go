//go:build linux || darwin

package fuse

import (
	"bytes"
	"errors"
	"log/slog"
	"syscall"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

func TestFS217_DiskFullAndLocked(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	tree := &tree{log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, tt := range []struct {
		err  error
		want syscall.Errno
	}{
		{vfs.ErrNoSpace, syscall.ENOSPC},
		{vfs.Errorf(vfs.EAGAIN, "locked"), syscall.EAGAIN},
	} {
		if got := tree.status(tt.err); got != gofuse.Status(tt.want) || log.Len() > 0 {
			t.Errorf("%v: status %v, want %v; logged %q", tt.err, got, tt.want, log.String())
		}
	}
	if got := tree.status(errors.New("a fault")); got != gofuse.EIO || log.Len() == 0 {
		t.Errorf("a fault: status %v, want EIO; logged %q", got, log.String())
	}
}

// TestStatFsHasRoom: programs that look for space before they write find some.
func TestStatFsHasRoom(t *testing.T) {
	t.Parallel()
	var out gofuse.StatfsOut
	if s := new(tree).StatFs(nil, nil, &out); s != gofuse.OK || out.Bavail*uint64(out.Bsize) < 1<<40 || out.Bavail > out.Blocks || out.Ffree == 0 {
		t.Errorf("status %v, %+v", s, out)
	}
}
