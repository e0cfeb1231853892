package refdb

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/datakit/datakit"
)

// Apply makes the updates. One whose error says that it could not be made
// durable may have been made; Head tells.
func (p *prepared) Apply() []error {
	db := p.db
	db.turn.Lock()
	defer db.turn.Unlock()
	if p.setHeads() {
		p.removeHeads()
	} else {
		p.failPacked(errOther)
	}
	p.publish()
	for _, c := range p.changes {
		db.release(c)
	}
	p.releasePacked()
	return p.Errs()
}

// errOther is returned for a branch that was not removed because the head of
// another could not be set: that may be its new name. To try again later is
// right, as it is for a branch that is locked.
var errOther = fmt.Errorf("another update at the same time failed: %w", datakit.Locked)

// setHeads gives branches their new heads, and reports whether all have them.
func (p *prepared) setHeads() bool {
	ok := true
	dirs := make(dirtyDirs)
	p.each(func(c *change) {
		if c.action != set {
			return
		}
		if err := p.db.commitHead(c); err != nil {
			c.err, ok = err, false
			return
		}
		c.done = true
		dirs.add(c, filepath.Dir(p.db.path(c.target)))
		dirs.add(c, c.parent...)
	})
	return p.db.flush(dirs) && ok
}

// commitHead puts the new file of c in place. The last of its locks ends.
func (db *DB) commitHead(c *change) error {
	last := len(c.locks) - 1
	l := c.locks[last]
	err := l.commit()
	if err != nil && isDir(l.path) { // others may have made it since Prepare
		if err = db.available(c.target); err != nil {
			return err
		}
		if err = l.commit(); err != nil && isDir(l.path) {
			return datakit.Locked // and they make it again
		}
	}
	if err != nil {
		return ioError("update", c.Branch, err)
	}
	c.locks = c.locks[:last]
	return nil
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// removeHeads removes branches: first from packed-refs, so that what is there
// cannot come to light again.
func (p *prepared) removeHeads() {
	if p.pieces != nil {
		err := p.packed.commit()
		if err == nil {
			err = p.db.disk.syncDir(filepath.Dir(p.db.packs))
		}
		if err != nil {
			p.failPacked(ioError("update", "packed-refs", err))
		}
	}
	dirs := make(dirtyDirs)
	p.each(func(c *change) {
		if c.action == remove {
			p.db.removeHead(c, dirs)
		}
	})
	p.db.flush(dirs)
}

// removeHead removes the files of a branch, of which Git keeps a second one
// with the history of its head.
func (db *DB) removeHead(c *change, dirs dirtyDirs) {
	path := db.path(c.Branch)
	if db.cache.at(c.Branch).kind != none {
		if err := db.disk.remove(path); err != nil {
			c.err = ioError("remove", c.Branch, err)
			return
		}
		dirs.add(c, filepath.Dir(path))
	}
	c.done = true
	logs := filepath.Join(db.dir, "logs", "refs", "heads")
	log := filepath.Join(logs, filepath.FromSlash(c.Branch))
	if os.Remove(log) == nil {
		db.removeParents(log, logs)
	}
}

// dirtyDirs are directories to be flushed, each with the changes that are not
// durable before.
type dirtyDirs map[string][]*change

func (d dirtyDirs) add(c *change, dirs ...string) {
	for _, dir := range dirs {
		d[dir] = append(d[dir], c)
	}
}

// flush makes the entries of directories durable, and reports whether all are.
func (db *DB) flush(dirs dirtyDirs) bool {
	ok := true
	errs := make(map[string]*error, len(dirs))
	var jobs []func()
	for dir := range dirs {
		err := new(error)
		errs[dir] = err
		jobs = append(jobs, func() { *err = db.disk.syncDir(dir) })
	}
	atOnce(jobs)
	for dir, changes := range dirs {
		for _, c := range changes {
			if err := *errs[dir]; err != nil {
				c.err, ok = ioError("flush", c.Branch, err), false
			}
		}
	}
	return ok
}

// publish carries the changes over into the cache and tells subscribers. The
// caller holds turn.
func (p *prepared) publish() {
	var all []found
	removes := false
	for _, c := range p.changes {
		removes = removes || c.action == remove
		switch {
		case !c.done:
		case c.action == set:
			all = append(all, found{c.target, loose{kind: direct, head: c.New}})
		case c.action == remove:
			all = append(all, found{c.Branch, loose{}})
		}
	}
	if removes {
		p.db.refreshAfter(all)
		return
	}
	p.db.publish(all, nil)
}
