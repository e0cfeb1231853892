package mount

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/fuse"
	"github.com/datakit/datakit/internal/mountpoint"
)

// mountFUSE mounts the tree of a database, as one session.
func (m *Mount) mountFUSE(db *datakit.DB, dir string) (*mounted, error) {
	if err := mountpoint.CheckFUSE(); err != nil {
		return nil, err
	}
	session := fsapi.New(db, &fsapi.Options{Sources: m.Sources, Log: m.Log}).NewSession()
	f, err := fuse.New(session.Root(), dir, &fuse.Options{Source: m.Addr, AllowOther: m.AllowOther, Log: m.Log})
	if err != nil {
		session.Close()
		return nil, explainFUSE(err)
	}
	return &mounted{
		how:   "FUSE",
		done:  f.Done(),
		drain: f.Drain,
		finish: func() {
			if !ends(f.Done(), endTime) {
				f.Cancel()
				if !ends(f.Done(), endTime) {
					// Somebody still has a file open of what was detached.
					// The end of the process is the end of that.
					m.Log.Warn("files of the mount are still open")
				}
			}
			session.Close()
		},
	}, nil
}

// explainFUSE says what can be done about a mount that failed.
func explainFUSE(err error) error {
	switch {
	case errors.Is(err, fuse.ErrUnsupported):
		return err
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: mounting is not allowed here; a container needs --cap-add SYS_ADMIN --device /dev/fuse", oneLine(err))
	}
	return errors.New(oneLine(err))
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// ends waits for done, but not for ever.
func ends(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
