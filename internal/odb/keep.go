package odb

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// keeps are the .keep files of this Store, which have git leave alone packs
// that no reference leads to yet. Two Staged may have the same pack.
type keeps struct {
	owner string // the id of the session
	model string // a file like them, to which they are links: that is quicker than a file each

	remove func(path string) error

	mu       sync.Mutex     // guards what follows
	held     map[string]int // users of each file, by the name of the pack
	removing string         // a pack that is being removed, or ""
	removed  sync.Cond      // signalled when it is not any more; its lock is mu
}

// hold makes the .keep file of a pack. ours is false if somebody else had made
// it already, who will remove it.
func (k *keeps) hold(packs, name string) (ours bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.removing == name {
		k.removed.Wait()
	}
	if k.held[name] == 0 {
		path := filepath.Join(packs, name+".keep")
		err := os.Link(k.model, path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = k.write(path) // there are file systems without links
		}
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	k.held[name]++
	return true, nil
}

func (k *keeps) write(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(keepOwner + k.owner + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

// free removes the file when nobody uses it any more. If that fails it stays
// until a Store is opened after this one was closed.
func (k *keeps) free(packs, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[name]--; k.held[name] == 0 {
		delete(k.held, name)
		k.remove(filepath.Join(packs, name+".keep"))
	}
}

// newKeeps makes the model in the directory of a session.
func newKeeps(own *session, files *fileOps) (*keeps, error) {
	k := &keeps{owner: own.id, model: filepath.Join(own.dir, "keep"), remove: files.remove, held: map[string]int{}}
	k.removed.L = &k.mu
	return k, k.write(k.model)
}

// all returns the packs that are held.
func (k *keeps) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Keys(k.held))
}

// ifFree runs f, which removes the pack, unless that is held. Who would hold it
// waits for f; who holds others does not. It must not be called by two
// goroutines at once.
func (k *keeps) ifFree(name string, f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[name] > 0 {
		return
	}
	k.removing = name
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.removing = ""
		k.removed.Broadcast()
	}()
	f()
}
