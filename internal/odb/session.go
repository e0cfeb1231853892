package odb

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// keepOwner is what a .keep file of ours begins with; the id of the Store that
// made it follows.
const keepOwner = "datakit "

// A session is what one open Store has for itself on disk. Its lock tells
// other Stores, of this process or others, that it is alive.
type session struct {
	id    string
	dir   string
	spill string
	lock  *os.File

	files atomic.Uint64 // made so far
	spare chan *os.File // new files that wait to be used
}

// newSession makes a session below root.
func newSession(root string) (*session, error) {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return nil, err
	}
	for range 10 {
		own := &session{id: rand.Text(), spare: make(chan *os.File, spareFiles)}
		own.dir = filepath.Join(root, own.id)
		own.spill = filepath.Join(own.dir, "spill")
		err := own.make()
		if err == nil {
			return own, nil
		}
		own.close()
		if err != errStolen {
			return nil, err
		}
	}
	return nil, errStolen
}

// errStolen is returned when a session was taken for dead by another Store in
// the moment before it was locked.
var errStolen = errors.New("cannot lock a new session")

func (own *session) make() (err error) {
	if err = os.MkdirAll(own.spill, 0o700); err != nil {
		return err
	}
	path := filepath.Join(own.dir, "lock")
	if own.lock, err = os.Create(path); err != nil {
		return err
	}
	if lockFile(own.lock) != nil {
		return errStolen
	}
	mine, err := own.lock.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(mine, now) {
		return errStolen
	}
	return nil
}

// close removes the session.
func (own *session) close() error {
	if own.lock != nil {
		own.lock.Close()
	}
	return os.RemoveAll(own.dir)
}

// unlockedAge is how old a session without a lock file must be to count as
// dead: one that is just being made has none either.
const unlockedAge = time.Hour

// removeDead removes the sessions below root that nobody holds. What cannot be
// removed stays for the next time.
func removeDead(root string, log *slog.Logger) {
	dirs, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		log.Warn("old sessions are not cleaned up", "error", err)
		return
	}
	for _, d := range dirs {
		dir := filepath.Join(root, d.Name())
		if !d.IsDir() || !isDead(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			log.Warn("an old session is not removed", "error", err)
		}
	}
}

func isDead(dir string) bool {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		st, err := os.Stat(dir)
		return err == nil && time.Since(st.ModTime()) > unlockedAge
	}
	if err != nil {
		return false
	}
	defer lock.Close()
	return lockFile(lock) == nil
}

// removeKeeps removes the .keep files of sessions that do not exist, and with
// them packs that were never completed.
func removeKeeps(root, packs string, log *slog.Logger) {
	files, err := os.ReadDir(packs)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		log.Warn("old .keep files are not cleaned up", "error", err)
		return
	}
	for _, f := range files {
		base, isKeep := strings.CutSuffix(filepath.Join(packs, f.Name()), ".keep")
		if !isKeep || !isStale(root, base+".keep") {
			continue
		}
		if _, err := os.Stat(base + ".idx"); errors.Is(err, fs.ErrNotExist) {
			os.Remove(base + ".pack") // git cannot find anything in it
		}
		if err := os.Remove(base + ".keep"); err != nil {
			log.Warn("an old file is not removed", "error", err)
		}
	}
}

// isStale reports whether a .keep file is one of a session that is gone.
func isStale(root, file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	id, ours := strings.CutPrefix(strings.TrimSuffix(string(text), "\n"), keepOwner)
	if !ours || id == "" || strings.ContainsAny(id, `/\.`) {
		return false
	}
	_, err = os.Stat(filepath.Join(root, id))
	return errors.Is(err, fs.ErrNotExist)
}
