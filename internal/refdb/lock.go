package refdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/datakit/datakit"
)

// A lock is a lock file of ours. It is not safe for concurrent use.
type lock struct {
	db     *DB
	path   string      // the file that is locked
	file   *os.File    // open for the new content, until that is written
	info   fs.FileInfo // of the lock file
	proof  string      // the first name of the lock file, or ""
	proofs *proofs     // that proof is one of
	ended  bool        // it is a lock no more, and its inode may be that of another
}

// errTaken is returned when someone has removed a lock of ours.
var errTaken = errors.New("our lock file was removed by another program")

// lock locks the file at path. The error is of kind Locked if it is locked.
func (db *DB) lock(path string) (*lock, error) {
	l := &lock{db: db, path: path}
	err := l.create()
	if errors.Is(err, fs.ErrExist) {
		return nil, db.lockedError(path + lockSuffix)
	} else if err != nil {
		return nil, err
	}
	if l.info, err = l.file.Stat(); err != nil {
		l.file.Close()
		db.disk.remove(path + lockSuffix)
		l.unprove()
		return nil, err
	}
	return l, nil
}

// lockedError says that a lock file of somebody else is there.
func (db *DB) lockedError(file string) error {
	if name, err := filepath.Rel(db.dir, file); err == nil {
		file = name
	}
	return &datakit.Error{Kind: datakit.Locked, Err: &datakit.LockedError{File: filepath.ToSlash(file)}}
}

// create makes the lock file, with a proof if it can have one, and opens it
// for writing.
func (l *lock) create() error {
	if ps := l.db.owner.get(); ps != nil {
		if f, err := ps.take(); err == nil {
			err = l.db.disk.link(f.Name(), l.path+lockSuffix)
			if err == nil {
				l.file, l.proof, l.proofs = f, f.Name(), ps
				return nil
			}
			ps.discard(f)
			if errors.Is(err, fs.ErrExist) || absent(err) {
				return err
			}
		}
	}
	var err error
	l.file, err = l.db.disk.create(l.path + lockSuffix)
	return err
}

// write writes the content that the file is to have, durably.
func (l *lock) write(content ...string) error {
	f := l.file
	l.file = nil
	return l.db.disk.write(f, content...)
}

// commit makes the content that was written that of the file, and ends the
// lock. If it fails the lock is still held.
func (l *lock) commit() error {
	if !l.held() {
		return errTaken
	}
	if err := l.db.disk.rename(l.path+lockSuffix, l.path); err != nil {
		return err
	}
	l.ended = true
	l.unprove()
	return nil
}

// release ends the lock, if it has not ended.
func (l *lock) release() {
	if l.ended {
		return
	}
	l.ended = true
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
	if l.held() {
		if err := l.db.disk.remove(l.path + lockSuffix); err != nil {
			l.db.log.Warn("lock cannot be removed", "path", l.path+lockSuffix, "error", err)
			return // the proof serves the next Open
		}
	}
	l.unprove()
}

// held reports whether the lock file is there and ours. Git does not look, but
// then people are told to remove lock files by hand.
func (l *lock) held() bool {
	info, err := os.Lstat(l.path + lockSuffix)
	return err == nil && os.SameFile(info, l.info)
}

func (l *lock) unprove() {
	if l.proof != "" {
		l.proofs.giveBack(l.proof)
	}
}

// lockBranch locks the file of a branch. Directories that it needs are made;
// those to which one was added are returned also if it fails. The error is a
// *datakit.BranchConflictError if another branch is where a directory has to be.
func (db *DB) lockBranch(branch string) (l *lock, changed []string, err error) {
	path := db.path(branch)
	// Others remove directories as soon as they are empty, and then there may
	// be files in their places for a while.
	for range 10 {
		if l, err = db.lock(path); !absent(err) {
			return l, changed, err
		}
		if other := db.fileAbove(branch); other != "" {
			return nil, changed, &datakit.BranchConflictError{Other: other}
		}
		if err = db.makeDirs(filepath.Dir(path), &changed); err != nil && !absent(err) {
			return nil, changed, err
		}
	}
	return nil, changed, err
}

// makeDirs makes a directory and those above it, and appends the ones to which
// another was added to changed.
func (db *DB) makeDirs(dir string, changed *[]string) error {
	err := db.disk.mkdir(dir)
	if errors.Is(err, fs.ErrNotExist) && len(dir) > len(db.dir) {
		if err = db.makeDirs(filepath.Dir(dir), changed); err == nil {
			err = db.disk.mkdir(dir)
		}
	}
	switch {
	case err == nil:
		*changed = append(*changed, filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		err = nil // if it is a file, then what needs the directory fails
	}
	return err
}

// removeParents removes the directories above a file that are empty, up to
// but not including top.
func (db *DB) removeParents(path, top string) {
	for dir := filepath.Dir(path); strings.HasPrefix(dir, top+string(filepath.Separator)); dir = filepath.Dir(dir) {
		if db.disk.removeDir(dir) != nil {
			return
		}
	}
}
