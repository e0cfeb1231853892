// Package mount mounts the tree of a server, with the kernel's own 9P client or
// with FUSE, or that of a repository, with FUSE, and unmounts it in good order.
package mount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/mountpoint"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
)

// A Via is the kind of a mount.
type Via string

// The kinds of mounts.
const (
	Auto   Via = "auto"   // Kernel if that is possible, else FUSE
	Kernel Via = "kernel" // the kernel's 9P client
	FUSE   Via = "fuse"
)

const (
	// messageSize is the longest message between a mount and its server, in
	// bytes: that of a read by the kernel.
	messageSize = 256 << 10

	// pingInterval is how often a server is asked whether it is still there.
	pingInterval = 30 * time.Second

	// busyTime is how long programs may go on to use a mount that is to be
	// unmounted, after what they wait for has ended.
	busyTime = 3 * time.Second

	// endTime is how long what is being carried out may take to end after
	// that.
	endTime = 3 * time.Second
)

// A Mount is what is to be mounted, where and how. Set the fields before Run.
type Mount struct {
	// Addr is the address of a server, or git://PATH for a repository on this
	// machine, which must exist.
	Addr string

	Dir        string // an existing directory
	Full       bool   // Dir need not be empty
	Via        Via    // empty means Auto
	AllowOther bool   // other users may look at the tree

	Log     *slog.Logger      // must not be nil
	Sources []fsapi.LogSource // are shown below /debug/src of a repository
	Out     io.Writer         // is told when the tree is mounted; must not be nil

	// AtForce, if not nil, is given what is to be done if the process has to
	// end at once, and returns how to take it back.
	AtForce func(do func()) (undo func())
}

// A mounted tree is what is behind a mount.
type mounted struct {
	how  string          // it is mounted
	done <-chan struct{} // closed when nobody can use it any more; may be nil

	drain  func() // ends what waits for news, so that it is no longer in use
	finish func() // ends what is left, after it has been unmounted
}

// Run mounts the tree, and unmounts it when ctx is done or the server gone. It
// returns when it is unmounted, by whomever, and nothing of it is left. The
// error is one line that says what to do.
func (m *Mount) Run(ctx context.Context) error {
	dir, err := mountpoint.Check(m.Dir, m.Full)
	if err != nil {
		return err
	}
	db, err := m.open(ctx)
	if err != nil {
		return err
	}
	t, err := m.mount(ctx, db, dir)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if m.AtForce != nil {
		undo := m.AtForce(func() { mountpoint.Detach(dir) })
		defer undo()
	}
	fmt.Fprintf(m.Out, "mounted %s on %s with %s; to unmount it, press Ctrl-C or run: %s\n", m.Addr, m.Dir, t.how, mountpoint.UnmountCommand(m.Dir))
	err = m.wait(ctx, db, dir, t)
	m.unmount(dir, t)
	t.finish()
	return errors.Join(err, ignoreLoss(db.Close(), err))
}

// ignoreLoss returns err unless the connection is lost and that is known.
func ignoreLoss(err, known error) error {
	if known != nil {
		return nil
	}
	return err
}

// open opens the database.
func (m *Mount) open(ctx context.Context) (*datakit.DB, error) {
	db, err := connect.Open(ctx, m.Addr, &connect.Options{
		Server: p9db.Options{Msize: messageSize, PingInterval: pingInterval},
		Git:    gitdb.Options{MustExist: true},
		Log:    m.Log,
	})
	if errors.Is(err, datakit.NotExist) && m.isRepository() {
		return nil, fmt.Errorf("%w (to make a repository: git init PATH)", err)
	}
	return db, err
}

// isRepository reports whether there is no server.
func (m *Mount) isRepository() bool { return strings.HasPrefix(m.Addr, "git://") }

// mount mounts the tree in the way that is asked for.
func (m *Mount) mount(ctx context.Context, db *datakit.DB, dir string) (*mounted, error) {
	if m.Via == FUSE || m.Via != Kernel && m.isRepository() {
		return m.mountFUSE(db, dir)
	}
	if m.isRepository() {
		return nil, errors.New("the kernel's 9P client needs a server: start one with datakit serve, or use --via fuse")
	}
	t, err := m.mountKernel(ctx, dir)
	if err == nil {
		return t, nil
	}
	if m.Via == Kernel {
		return nil, fmt.Errorf("cannot mount %s with the kernel's 9P client: %w; use --via fuse", m.Addr, err)
	}
	m.Log.Info("not mounting with the kernel's 9P client", "reason", err)
	t, fuseErr := m.mountFUSE(db, dir)
	if fuseErr != nil {
		return nil, fmt.Errorf("%w (nor with the kernel's 9P client: %w)", fuseErr, err)
	}
	return t, nil
}

// lost returns what is closed when the connection of db is lost, or nil.
func lost(db *datakit.DB) <-chan struct{} {
	if d, ok := db.Driver().(interface{ Lost() <-chan struct{} }); ok {
		return d.Lost()
	}
	return nil
}

// wait returns when the tree is to be unmounted or is so already. The error
// tells that the server is gone.
func (m *Mount) wait(ctx context.Context, db *datakit.DB, dir string, t *mounted) error {
	gone := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() {
		defer close(gone)
		if at, ok := mountpoint.Of(dir); ok {
			mountpoint.Gone(watching, at)
		}
	}()
	defer func() {
		stop()
		<-gone
	}()
	select {
	case <-ctx.Done():
	case <-gone:
	case <-t.done:
	case <-lost(db):
		return fmt.Errorf("%w to %s: unmounted %s; mount it again when the server is back", p9.ErrConnection, m.Addr, m.Dir)
	}
	return nil
}

// unmount unmounts the tree, unless somebody did. Who uses it may go on for a
// moment.
func (m *Mount) unmount(dir string, t *mounted) {
	t.drain()
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		at, ok := mountpoint.Of(dir)
		if !ok {
			return
		}
		err := mountpoint.Unmount(dir)
		if err == nil {
			return
		}
		if time.Since(start) < busyTime && errors.Is(err, mountpoint.ErrBusy) {
			continue
		}
		m.Log.Warn("taking the mount away from programs that use it", "dir", dir, "type", at.Type, "error", err)
		if err := mountpoint.Detach(dir); err != nil {
			m.Log.Error("the mount is left", "dir", dir, "error", err)
		}
		return
	}
}
