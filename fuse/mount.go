//go:build linux || darwin

package fuse

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/internal/mountpoint"
	"github.com/datakit/datakit/vfs"
)

// maxTransfer is the most that one read or write moves, in bytes.
const maxTransfer = 1 << 20

// A Mount is a mounted tree. Its methods may be called concurrently.
//
// It ends when the kernel says so: after the file system has been unmounted
// and the last file in it closed, or its connection aborted.
type Mount struct {
	done     chan struct{}
	draining signal
	canceled signal
}

// New mounts the tree below root on dir, which must be an existing directory,
// and serves it until it is unmounted, which is up to others. When New returns
// the mount can be used. Root must stay valid until Done is closed. A nil opts
// is the default.
//
// A process must not use a mount that it serves itself, at least not from
// package os: the runtime may wait for the kernel then, which waits for it.
func New(root vfs.Dir, dir string, opts *Options) (*Mount, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Source == "" {
		o.Source = "datakit"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mount{done: make(chan struct{}), draining: newSignal(), canceled: newSignal()}
	t := newTree(m, root, o.Log)
	mo := mountOptions(&o)
	at, d, err := attach(dir, mo)
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	server, err := gofuse.NewServer(t, at, mo)
	if err != nil {
		d.close()
		if at != dir {
			mountpoint.Detach(dir)
		}
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	go m.serve(server, t, d)
	if runtime.GOOS == "darwin" { // where the helper that mounts asks the server first
		if err := server.WaitMount(); err != nil {
			return nil, fmt.Errorf("mount %s: %w", dir, errors.Join(err, server.Unmount()))
		}
	}
	// On Linux NewServer has answered the first request of the kernel. Not to
	// call WaitMount there is on purpose: it opens a file of the mount, and
	// a process that is killed while it waits for itself stays for ever.
	return m, nil
}

func mountOptions(o *Options) *gofuse.MountOptions {
	mo := &gofuse.MountOptions{
		FsName:                   o.Source,
		Name:                     "datakit",
		AllowOther:               o.AllowOther,
		MaxWrite:                 maxTransfer,
		MaxBackground:            64,
		ExplicitDataCacheControl: true, // what is kept never changes
		DisableXAttrs:            true,
		ExtraCapabilities:        gofuse.CAP_READDIRPLUS_AUTO | gofuse.CAP_DIRECT_IO_ALLOW_MMAP,
		Logger:                   slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	if o.AllowOther {
		mo.Options = append(mo.Options, "default_permissions")
	}
	return mo
}

// serve answers the kernel until the mount has ended, and then closes what is
// open.
func (m *Mount) serve(server *gofuse.Server, t *tree, d device) {
	over := make(chan struct{})
	t.watchers.Go(func() { m.watch(d, over) })
	server.Serve()
	close(over)
	m.canceled.raise()
	t.watchers.Wait()
	t.handles.closeAll()
	close(m.done)
}

// deviceInterval is how often the kernel is asked whether it has ended the mount.
const deviceInterval = time.Second

// watch cancels everything when the kernel has ended the mount. The library ends
// what it knows of; but a request that it has read and not noted yet would go on
// for ever if it waits for news.
func (m *Mount) watch(d device, over <-chan struct{}) {
	defer d.close()
	tick := time.NewTicker(deviceInterval)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			if d.dead() {
				m.Cancel()
				return
			}
		}
	}
}

// Done is closed after the mount has ended and all its files are closed.
func (m *Mount) Done() <-chan struct{} { return m.done }

// Drain ends the reads that wait for news, now and from now on, with EIO, so
// that those who read close their files and the mount can be unmounted.
func (m *Mount) Drain() { m.draining.raise() }

// Cancel is Drain, and ends everything else that is being done as well.
func (m *Mount) Cancel() {
	m.draining.raise()
	m.canceled.raise()
}

// A signal is raised once.
type signal struct {
	c    chan struct{}
	once *sync.Once
}

func newSignal() signal { return signal{make(chan struct{}), new(sync.Once)} }

func (s signal) raise() { s.once.Do(func() { close(s.c) }) }

func (s signal) raised() bool {
	select {
	case <-s.c:
		return true
	default:
		return false
	}
}
