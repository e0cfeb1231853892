package refdb

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// chunk is how many branches are read before others get their turn.
const chunk = 64

// scan reads the files of a directory below refs/heads that may have changed,
// and those of directories in it that are not known yet.
func (w *watcher) scan(ctx context.Context, dir string) error {
	path := w.db.path(dir)
	w.watch(path) // before it is read, so that nothing is missed
	now := nowStamp()
	before, err := w.db.disk.stat(path)
	var entries []fs.DirEntry
	if err == nil {
		entries, err = w.db.disk.readDir(path)
	}
	if err != nil && !absent(err) {
		return err
	}
	gone := err != nil
	files, subs := w.sort(dir, entries)
	if err := w.readAll(ctx, files); err != nil {
		return err
	}
	switch {
	case !gone:
		w.dirs[dir] = stampOf(before).settled(now)
	case dir == "":
		w.dirs[dir] = stamp{}
	default:
		delete(w.dirs, dir)
	}
	var errs []error
	for _, sub := range subs {
		if _, known := w.dirs[sub]; !known {
			w.dirs[sub] = stamp{}
			errs = append(errs, w.scan(ctx, sub))
		}
	}
	return errors.Join(errs...)
}

// scanAgain is scan of a directory that may be known; if it fails it is done
// again with the next poll.
func (w *watcher) scanAgain(ctx context.Context, dir string) {
	if err := w.scan(ctx, dir); err != nil && ctx.Err() == nil {
		w.db.log.Warn("branches cannot be read", "dir", dir, "error", err)
		w.dirs[dir] = stamp{}
	}
}

// watch asks for notifications about a directory. If there are none polling
// has to do.
func (w *watcher) watch(path string) {
	if w.notify == nil {
		return
	}
	if err := w.notify.Add(path); err != nil && !absent(err) {
		w.db.log.Debug("no notifications of changes", "path", path, "error", err)
	}
}

// sort returns the branches of a directory that have to be read, given its
// entries, and the directories in it.
func (w *watcher) sort(dir string, entries []fs.DirEntry) (files, subs []string) {
	w.db.mu.RLock()
	known := w.db.cache.loose[dir]
	stamps := make(map[string]stamp, len(known))
	for base, l := range known {
		stamps[base] = l.stamp
	}
	w.db.mu.RUnlock()
	for _, e := range entries {
		name := join(dir, e.Name())
		switch {
		case strings.HasSuffix(name, lockSuffix) || !isBranch(name):
		case e.IsDir():
			subs = append(subs, name)
		default:
			if !unchanged(e, stamps) {
				files = append(files, name)
			}
			delete(stamps, e.Name())
		}
	}
	for base := range stamps { // these are gone
		files = append(files, join(dir, base))
	}
	return files, subs
}

// unchanged reports whether an entry is still what it was when its stamp was
// taken.
func unchanged(e fs.DirEntry, stamps map[string]stamp) bool {
	s := stamps[e.Name()]
	if s == (stamp{}) {
		return false
	}
	info, err := e.Info()
	return err == nil && stampOf(info) == s
}

// readAll reads branches, in pieces between which others may do something.
func (w *watcher) readAll(ctx context.Context, files []string) error {
	for len(files) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(chunk, len(files))
		if err := w.refresh(files[:n]); err != nil {
			return err
		}
		files = files[n:]
	}
	return nil
}

// refresh refreshes branches.
func (w *watcher) refresh(names []string) error {
	w.db.turn.Lock()
	defer w.db.turn.Unlock()
	return errors.Join(w.db.refresh(names...)...)
}
