package refdb

import (
	"errors"

	"github.com/datakit/datakit"
)

// refresh carries what the disk has for the given branches, and the state of
// packed-refs, over into the cache and tells subscribers what has changed. It
// returns for each branch, by its index, why it cannot; nil if it can for all.
// The caller holds turn.
func (db *DB) refresh(branches ...string) (errs []error) {
	all := make([]found, 0, len(branches))
	fail := func(i int, err error) {
		if errs == nil {
			errs = make([]error, len(branches))
		}
		errs[i] = err
	}
	var absent []int
	for i, b := range branches {
		l, err := db.readLoose(b)
		switch {
		case err != nil:
			fail(i, ioError("read", b, err))
		case l.kind == none || l.kind == subdir:
			absent = append(absent, i)
		default:
			all = append(all, found{b, l})
		}
	}
	// A branch that is packed and then loses its file is in packed-refs when
	// the file is gone. So packed-refs is looked at after the files.
	p, err := db.changedPacked()
	if err != nil {
		db.setUnpackable(err)
	}
	for _, i := range absent {
		if err != nil {
			fail(i, err)
			continue
		}
		all = append(all, found{branches[i], loose{}})
	}
	db.publish(all, p)
	return errs
}

// refreshAfter publishes what was changed together with the state of
// packed-refs. The caller holds turn.
func (db *DB) refreshAfter(all []found) {
	p, err := db.changedPacked()
	if err != nil {
		db.setUnpackable(err)
	}
	db.publish(all, p)
}

// refreshPacked does for packed-refs alone what refresh does, except that it
// returns why it cannot.
func (db *DB) refreshPacked() error {
	p, err := db.changedPacked()
	if err != nil {
		db.setUnpackable(err)
		return err
	}
	db.publish(nil, p)
	return nil
}

// refreshChain refreshes a branch and those it leads to.
func (db *DB) refreshChain(branch string) error {
	for range maxReads {
		if errs := db.refresh(branch); errs != nil {
			return errs[0]
		}
		l := db.cache.at(branch)
		if l.kind != symbolic {
			break
		}
		branch = l.target
	}
	return nil
}

// changedPacked returns the state of packed-refs, or nil if the cache has it.
func (db *DB) changedPacked() (*packed, error) {
	info, err := db.disk.stat(db.packs)
	if err != nil && !absent(err) {
		return nil, ioError("read", "packed-refs", err)
	}
	if absent(err) {
		info = nil
	}
	if db.cache.packed.current(info) && db.cache.unpackable == nil {
		return nil, nil
	}
	p, err := db.disk.readPacked(db.packs)
	if known := (*datakit.Error)(nil); err != nil && !errors.As(err, &known) {
		err = ioError("read", "packed-refs", err)
	}
	return p, err
}

func (db *DB) setUnpackable(err error) {
	if db.cache.unpackable == nil {
		db.log.Warn("packed references cannot be read", "error", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.cache.unpackable = err
}

// publish changes the cache and tells subscribers. The caller holds turn.
func (db *DB) publish(all []found, p *packed) {
	if p == nil && len(all) == 0 {
		return
	}
	old := db.cache.packed
	moves := db.updateCache(all, p)
	if p != nil {
		old.close()
	}
	db.subs.tell(moves)
}

func (db *DB) updateCache(all []found, p *packed) []move {
	db.mu.Lock()
	defer db.mu.Unlock()
	if p != nil {
		db.cache.unpackable = nil
	}
	return db.cache.update(all, p)
}
