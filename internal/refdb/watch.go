package refdb

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	defaultPoll = time.Second

	// gather is how long notifications are collected before the disk is
	// looked at: one change makes several.
	gather = 5 * time.Millisecond
)

// A watcher keeps the cache of a DB as the disk is. All is done by the
// goroutine of run.
type watcher struct {
	db       *DB
	interval time.Duration
	notify   *fsnotify.Watcher // nil if there is none
	errs     chan error        // of notify, with room for one
	relay    sync.WaitGroup    // fills errs
	dirs     map[string]stamp  // the known directories below refs/heads, as last read
	pending  map[string]bool   // branches or directories that may have changed
}

func newWatcher(db *DB, interval time.Duration) *watcher {
	if interval <= 0 {
		interval = defaultPoll
	}
	return &watcher{db: db, interval: interval, pending: make(map[string]bool)}
}

// run reads all branches and then follows changes until ctx is done.
func (w *watcher) run(ctx context.Context) {
	w.start()
	defer w.end()
	w.load(ctx)
	close(w.db.loaded)
	poll := time.NewTimer(w.interval)
	defer poll.Stop()
	settle := time.NewTimer(gather)
	defer settle.Stop()
	var events <-chan fsnotify.Event
	if w.notify != nil {
		events = w.notify.Events
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				events = nil
			} else if first := len(w.pending) == 0; w.note(e) && first {
				settle.Reset(gather)
			}
		case err := <-w.errs:
			w.lost(err)
		case <-settle.C:
			w.settle(ctx)
		case <-poll.C:
			w.poll(ctx)
			poll.Reset(w.interval)
		}
	}
}

// start asks for notifications about packed-refs.
func (w *watcher) start() {
	if w.db.disk.deaf {
		return
	}
	n, err := fsnotify.NewBufferedWatcher(1024)
	if err == nil {
		w.notify, w.errs = n, make(chan error, 1)
		w.relay.Go(func() { relay(n.Errors, w.errs) })
		err = n.Add(filepath.Dir(w.db.packs))
	}
	if err != nil {
		w.db.log.Warn("no notifications of changes by other programs", "error", err)
	}
}

// relay passes errors on until from is closed, and drops those that nobody is
// ready for. The watcher itself cannot take them: it may be waiting in Add for
// a lock that is held until an error was taken.
func relay(from <-chan error, to chan<- error) {
	for err := range from {
		select {
		case to <- err:
		default:
		}
	}
}

// end ends the notifications.
func (w *watcher) end() {
	if w.notify != nil {
		w.notify.Close()
		w.relay.Wait()
	}
}

// load reads all branches for the first time.
func (w *watcher) load(ctx context.Context) {
	w.dirs = map[string]stamp{"": {}}
	w.db.turn.Lock()
	err := w.db.refreshPacked()
	w.db.turn.Unlock()
	if err == nil {
		err = w.scan(ctx, "")
	}
	w.loaded(err)
}

// loaded records that all branches have been read, or why not.
func (w *watcher) loaded(err error) {
	if err != nil {
		w.db.log.Warn("branches cannot be read", "error", err)
	}
	w.db.turn.Lock()
	defer w.db.turn.Unlock()
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	w.db.cache.incomplete = err
}

// note notes what a notification is about, and reports whether it matters.
func (w *watcher) note(e fsnotify.Event) bool {
	if e.Name == w.db.packs {
		w.pending[""] = true
		return true
	}
	name, ok := strings.CutPrefix(e.Name, w.db.heads+string(filepath.Separator))
	if !ok || strings.HasSuffix(name, lockSuffix) {
		return false
	}
	w.pending[filepath.ToSlash(name)] = true
	return true
}

// lost has everything read again after notifications may have been lost.
func (w *watcher) lost(err error) {
	if err == nil {
		return
	}
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		w.db.log.Warn("notifications of changes by other programs", "error", err)
	}
	w.forget()
}

// forget has all directories looked at with the next poll.
func (w *watcher) forget() {
	for dir := range w.dirs {
		w.dirs[dir] = stamp{}
	}
}

// settle looks at what notifications have told of.
func (w *watcher) settle(ctx context.Context) {
	names := make([]string, 0, len(w.pending))
	for name := range w.pending {
		if isBranch(name) {
			names = append(names, name)
		}
	}
	clear(w.pending)
	if err := w.refresh(names); err != nil {
		w.db.log.Warn("branches cannot be read", "error", err)
		w.forget() // try again with the next poll
	}
	for _, name := range names {
		if !w.db.isLoose(name) && isDir(w.db.path(name)) {
			w.forgetBelow(name) // it may be another directory than before
			w.scanAgain(ctx, name)
		}
	}
}

// forgetBelow has scan look at all directories below dir.
func (w *watcher) forgetBelow(dir string) {
	for d := range w.dirs {
		if strings.HasPrefix(d, dir+"/") {
			delete(w.dirs, d)
		}
	}
}

// poll looks for changes that no notification has told of.
func (w *watcher) poll(ctx context.Context) {
	if w.db.cache.incomplete != nil { // only this goroutine changes it
		w.load(ctx)
	}
	if err := w.refresh(w.foreign()); err != nil {
		w.db.log.Debug("branches cannot be read", "error", err)
	}
	w.adopt()
	for dir, known := range w.dirs {
		info, err := w.db.disk.stat(w.db.path(dir))
		if err != nil && !absent(err) || err == nil && known == stampOf(info) {
			continue
		}
		w.scanAgain(ctx, dir)
	}
}

// adopt makes known the directories of all cached branches. One made here may
// have gone before it was scanned.
func (w *watcher) adopt() {
	w.db.mu.RLock()
	defer w.db.mu.RUnlock()
	for dir := range w.db.cache.loose {
		if _, known := w.dirs[dir]; !known {
			w.dirs[dir] = stamp{}
		}
	}
}

// foreign returns the symbolic references whose targets are not watched.
func (w *watcher) foreign() (names []string) {
	w.db.mu.RLock()
	defer w.db.mu.RUnlock()
	for name := range w.db.cache.links {
		if w.db.cache.at(name).kind == foreign {
			names = append(names, name)
		}
	}
	return names
}
