package refdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// conflictWith says that there cannot be a branch because there is another.
func conflictWith(branch, other string) error {
	return &datakit.Error{Op: "create", Subject: branch, Kind: datakit.Exist,
		Err: &datakit.BranchConflictError{Other: other}}
}

// lockError returns why branch cannot be locked for c, given the error of the
// attempt.
func lockError(c *change, branch string, err error) error {
	var conflict *datakit.BranchConflictError
	switch {
	case errors.Is(err, datakit.Locked):
		return err
	case !errors.As(err, &conflict):
		return ioError("lock", branch, err)
	case !c.Old.IsZero(): // it was there, and is not
		return &store.MovedError{Branch: c.Branch}
	}
	return conflictWith(branch, conflict.Other)
}

// fileAbove returns the branch whose file is where a directory for the given
// branch would have to be, or "".
func (db *DB) fileAbove(branch string) string {
	for above := range prefixes(branch) {
		if info, err := os.Lstat(db.path(above)); err == nil && !info.IsDir() {
			return above
		}
	}
	return ""
}

// prefixes yields the names of which branch would be in the directory.
func prefixes(branch string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(branch) {
			if branch[i] == '/' && !yield(branch[:i]) {
				return
			}
		}
	}
}

// available reports as an error why a branch that does not exist cannot be
// made, and removes empty directories in its way. The caller holds turn and
// the lock of the branch.
func (db *DB) available(branch string) error {
	packed := db.cache.packed
	for above := range prefixes(branch) {
		if !packed.head(above).IsZero() {
			return conflictWith(branch, above)
		}
	}
	if other := packed.below(branch); other != "" {
		return conflictWith(branch, other)
	}
	other, err := db.clear(branch)
	switch {
	case err != nil:
		return ioError("create", branch, err)
	case strings.HasSuffix(other, lockSuffix):
		return datakit.Locked // someone is about to make a branch there
	case other != "":
		return conflictWith(branch, other)
	}
	return nil
}

// clear removes the directory in the place of a branch's file, if there is
// one, with all below that is empty. If anything is left it returns the name
// of a branch below, or of a lock if there is no branch.
func (db *DB) clear(branch string) (left string, err error) {
	path := db.path(branch)
	if !isDir(path) {
		return "", nil
	}
	entries, err := db.disk.readDir(path)
	if err != nil && !absent(err) {
		return "", err
	}
	locked := ""
	for _, e := range entries {
		name := branch + "/" + e.Name()
		switch {
		case e.IsDir():
			if name, err = db.clear(name); err != nil {
				return "", err
			}
		case !isBranch(name) && !strings.HasSuffix(name, lockSuffix):
			return "", errors.New(filepath.Join(path, e.Name()) + " is in the way")
		}
		if strings.HasSuffix(name, lockSuffix) {
			locked = name
		} else if name != "" {
			return name, nil
		}
	}
	if locked != "" {
		return locked, nil
	}
	return "", ignoreExist(db.disk.removeDir(path))
}

// ignoreExist drops the error of removing a directory that someone has put
// something in meanwhile: what needs it away will fail.
func ignoreExist(err error) error {
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return nil
	}
	return err
}
