package refdb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/datakit/datakit"
)

const (
	headsPrefix = "refs/heads/"
	lockSuffix  = ".lock"
	maxRefFile  = 8192 // the longest name of a target is shorter
	maxReads    = 5    // of references, each leading to the next, as in Git
)

// A looseKind is what is found in the place of a branch's file.
type looseKind uint8

const (
	none     looseKind = iota
	direct             // a file with a commit
	symbolic           // a symbolic reference to a branch
	foreign            // a symbolic reference to what is not a branch
	broken             // a file with anything else
	subdir             // a directory, which the cache has as none
)

// A loose is what the file of a branch holds.
type loose struct {
	kind   looseKind
	head   datakit.Hash // of a foreign one what it led to when read, of a broken one the last known
	target string       // of a symbolic one the branch, of a foreign one the whole name
	stamp  stamp        // of the file when it was read, or zero if not to be relied on
}

// isBranch reports whether a file of this name below refs/heads is a branch.
func isBranch(name string) bool { return datakit.CheckBranch(name) == nil }

// path returns the file of a branch.
func (db *DB) path(branch string) string {
	return filepath.Join(db.heads, filepath.FromSlash(branch))
}

// readLoose reads the file of a branch. The caller holds turn.
func (db *DB) readLoose(branch string) (loose, error) {
	l, err := db.readRefFile(db.path(branch))
	if err == nil && l.kind == foreign {
		l.head, err = db.resolveForeign(l.target)
	}
	return l, err
}

// readRefFile reads the file of any reference. One that is not there is none
// and no error.
func (db *DB) readRefFile(path string) (loose, error) {
	if err := db.disk.step("open", path); err != nil {
		return loose{}, err
	}
	f, err := openRef(path)
	switch {
	case absent(err):
		return loose{}, nil
	case isSymlink(err):
		return db.readSymlink(path)
	case errors.Is(err, fs.ErrPermission) && !isDir(path):
		return loose{kind: broken}, nil
	case err != nil:
		return refuse(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return loose{}, err
	}
	return readRef(f, info)
}

// refuse makes a directory of the failure to open one, which some systems do
// not do.
func refuse(path string, err error) (loose, error) {
	if info, serr := os.Lstat(path); serr == nil && info.IsDir() {
		return loose{kind: subdir}, nil
	}
	return loose{}, err
}

func readRef(f *os.File, info fs.FileInfo) (loose, error) {
	switch {
	case info.IsDir():
		return loose{kind: subdir}, nil
	case !info.Mode().IsRegular() || info.Size() > maxRefFile:
		return loose{kind: broken}, nil
	}
	now := nowStamp()
	buf := make([]byte, info.Size())
	if _, err := io.ReadFull(f, buf); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return loose{}, err
	}
	l := parseRef(buf)
	l.stamp = stampOf(info).settled(now)
	return l, nil
}

// parseRef reads the content of a reference's file: the hash of a commit and
// anything after a blank, or "ref:" and the name of another reference.
func parseRef(b []byte) loose {
	if rest, ok := bytes.CutPrefix(b, []byte("ref:")); ok {
		return symbolicTo(strings.Trim(string(rest), " \t\n\v\f\r"))
	}
	if len(b) < 40 || len(b) > 40 && !isSpace(b[40]) {
		return loose{kind: broken}
	}
	l := loose{kind: direct}
	if _, err := hex.Decode(l.head[:], b[:40]); err != nil || l.head.IsZero() {
		return loose{kind: broken}
	}
	return l
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// symbolicTo returns the symbolic reference to a whole name.
func symbolicTo(name string) loose {
	if branch, ok := strings.CutPrefix(name, headsPrefix); ok && isBranch(branch) {
		return loose{kind: symbolic, target: branch}
	}
	if strings.HasPrefix(name, "refs/") && isBranch(name) { // the rules are the same
		return loose{kind: foreign, target: name}
	}
	return loose{kind: broken}
}

// readSymlink reads a reference that is a symbolic link of the file system.
// Git once made symbolic references of them.
func (db *DB) readSymlink(path string) (loose, error) {
	target, err := os.Readlink(path)
	if err != nil {
		return loose{}, err
	}
	if strings.HasPrefix(target, "refs/") {
		return symbolicTo(target), nil
	}
	f, err := db.disk.open(path)
	if absent(err) || errors.Is(err, syscall.ELOOP) {
		return loose{kind: broken}, nil
	} else if err != nil {
		return loose{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return loose{}, err
	}
	l, err := readRef(f, info)
	l.stamp = stamp{} // that of the link says nothing
	return l, err
}

// resolveForeign returns the commit that a reference leads to, whose whole
// name is given, or zero. The caller holds turn.
func (db *DB) resolveForeign(name string) (datakit.Hash, error) {
	for range maxReads {
		l, err := db.readRefFile(filepath.Join(db.dir, filepath.FromSlash(name)))
		if err != nil {
			return datakit.Hash{}, err
		}
		switch l.kind {
		case direct:
			return l.head, nil
		case symbolic:
			name = headsPrefix + l.target
		case foreign:
			name = l.target
		case none, subdir:
			if err := db.refreshPacked(); err != nil {
				return datakit.Hash{}, err
			}
			return db.cache.packed.find(name), nil
		default:
			return datakit.Hash{}, nil
		}
	}
	return datakit.Hash{}, nil
}
