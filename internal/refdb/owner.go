package refdb

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const ownerSuffix = ".owner"

// An owner proves which locks a living DB has made; the package comment tells
// how. It is made when the first lock is.
type owner struct {
	disk *disk
	base string // the directory of all owners

	mu     sync.Mutex // guards what follows
	file   *os.File   // with the flock; nil before the first lock and where there is no flock
	proofs *proofs    // nil before the first lock and where there can be none
	made   bool       // the others are what they will be
}

// get returns what proves locks, or nil if there can be nothing.
func (o *owner) get() *proofs {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.made {
		o.make()
		o.made = true
	}
	return o.proofs
}

// make makes the owner file and the directory of proofs. The caller holds mu.
func (o *owner) make() {
	if err := os.MkdirAll(o.base, 0o777); err != nil {
		return
	}
	for range 10 {
		dir := filepath.Join(o.base, rand.Text()[:12])
		f, err := o.disk.create(dir + ownerSuffix)
		if err != nil {
			return
		}
		if err := flock(f); errors.Is(err, errors.ErrUnsupported) {
			f.Close()
			os.Remove(f.Name())
			return
		} else if err != nil || !o.settled(f) {
			f.Close() // another process took it for a dead one's
			os.Remove(f.Name())
			continue
		}
		o.file = f
		if o.disk.mkdir(dir) == nil {
			o.proofs = newProofs(o.disk, dir)
		}
		return
	}
}

// settled reports whether f is still there under its name.
func (o *owner) settled(f *os.File) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(f.Name())
	return err == nil && os.SameFile(a, b)
}

// close gives up the flock. If the directory is not empty it stays with the
// owner file, for the next Open: a lock could not be removed.
func (o *owner) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	name := o.file.Name()
	empty := o.proofs == nil
	if !empty {
		o.proofs.close()
		empty = o.disk.removeDir(o.proofs.dir) == nil
	}
	if empty && keepOpen { // while it is ours
		os.Remove(name)
	}
	unflock(o.file)
	err := o.file.Close()
	if empty && !keepOpen {
		os.Remove(name)
	}
	o.file, o.proofs = nil, nil
	return err
}

// removeDeadLocks removes the locks of owners that are dead.
func (db *DB) removeDeadLocks() error {
	owners, err := os.ReadDir(db.owner.base)
	if absent(err) {
		return nil
	} else if err != nil {
		return err
	}
	var errs []error
	for _, e := range owners {
		if strings.HasSuffix(e.Name(), ownerSuffix) {
			errs = append(errs, db.removeIfDead(filepath.Join(db.owner.base, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// removeIfDead removes an owner with its locks if it is dead.
func (db *DB) removeIfDead(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if absent(err) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	if flock(f) != nil {
		return nil // it lives, or nobody can tell
	}
	dir := strings.TrimSuffix(name, ownerSuffix)
	if err := db.removeProven(dir); err != nil {
		return err
	}
	if !keepOpen {
		f.Close()
	}
	return db.disk.remove(name)
}

// removeProven removes the locks that have a second name in dir, and dir.
func (db *DB) removeProven(dir string) error {
	entries, err := os.ReadDir(dir)
	if absent(err) {
		return nil
	} else if err != nil {
		return err
	}
	var proofs []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil && !absent(err) {
			return err
		} else if err == nil {
			proofs = append(proofs, info)
		}
	}
	if len(proofs) > 0 {
		if err := db.removeSame(proofs); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if err := db.disk.remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return db.disk.removeDir(dir)
}

// removeSame removes those lock files that are one of the given files.
func (db *DB) removeSame(proofs []fs.FileInfo) error {
	remove := func(path string) error {
		info, err := os.Lstat(path)
		if absent(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, p := range proofs {
			if os.SameFile(p, info) {
				db.log.Info("removing a lock left behind by a server that was killed", "path", path)
				return db.disk.remove(path)
			}
		}
		return nil
	}
	err := remove(db.packs + lockSuffix)
	walk := filepath.WalkDir(db.heads, func(path string, d fs.DirEntry, err error) error {
		switch {
		case absent(err):
			return nil
		case err != nil || d.IsDir() || !strings.HasSuffix(path, lockSuffix):
			return err
		}
		return remove(path)
	})
	return errors.Join(err, walk)
}
