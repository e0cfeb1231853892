package localgit

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// A watcher asks for notifications of changes in the directories of
// repositories. Where there are none it is silent.
type watcher struct {
	log    *slog.Logger
	notify *fsnotify.Watcher // nil if there is none
	errs   chan error        // of notify, with room for one
	relay  sync.WaitGroup    // fills errs
	dirs   map[string]*mirror
	events <-chan fsnotify.Event // nil once there are no more
}

func newWatcher(opts Options) *watcher {
	w := &watcher{log: opts.Log, errs: make(chan error, 1), dirs: map[string]*mirror{}}
	if opts.deaf {
		return w
	}
	n, err := fsnotify.NewBufferedWatcher(1024)
	if err != nil {
		w.log.Warn("no notifications of changes: the repositories are polled", "error", err)
		return w
	}
	w.notify, w.events = n, n.Events
	w.relay.Go(func() {
		// Errors must be taken at all times: notify may hold a lock that Add
		// waits for until one was taken.
		for err := range n.Errors {
			select {
			case w.errs <- err:
			default:
			}
		}
	})
	return w
}

func (w *watcher) close() {
	if w.notify != nil {
		w.notify.Close()
		w.relay.Wait()
	}
}

// watch asks for notifications about a directory of m. If there are none
// polling has to do.
func (w *watcher) watch(dir string, m *mirror) {
	if w.notify == nil {
		return
	}
	w.dirs[dir] = m
	if err := w.notify.Add(dir); err != nil {
		w.log.Debug("no notifications of changes", "dir", dir, "error", err)
	}
}

// of returns the repository that an event is about, if it matters: one of the
// references, or of the files and directories that hold them.
func (w *watcher) of(e fsnotify.Event) *mirror {
	name := e.Name
	if strings.HasSuffix(name, ".lock") {
		return nil
	}
	if m := w.dirs[name]; m != nil { // a directory that is gone, or back
		return m
	}
	m := w.dirs[filepath.Dir(name)]
	if m == nil {
		return nil
	}
	inRefs := filepath.Dir(name) != m.dir
	if base := filepath.Base(name); inRefs || base == "packed-refs" || base == "refs" {
		return m
	}
	return nil
}
