package refdb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// flushes is how many files are flushed at the same time. Flushes at the same
// time share the work of the file system.
const flushes = 32

// An action is what is to be done to the file of a branch.
type action uint8

const (
	keep   action = iota // the old value is the new one
	set                  // a new head
	remove               // no head any more
)

// A change is an update on its way.
type change struct {
	store.Update
	action action
	target string   // the branch whose file is changed: itself or where it leads to
	locks  []*lock  // the last is that of target
	parent []string // directories to which a directory was added for target
	done   bool     // made, though maybe not durably
	err    error    // why it is not
}

// prepared is a store.Prepared.
type prepared struct {
	db      *DB
	changes []*change
	packed  *lock    // of packed-refs, if a branch is to be removed
	pieces  []string // the new content of packed-refs, if that has to change
}

// Prepare locks the branches of updates, compares and writes. What it finds
// changed on disk subscribers are told.
func (db *DB) Prepare(ctx context.Context, updates []store.Update) store.Prepared {
	p := &prepared{db: db, changes: make([]*change, len(updates))}
	for i, u := range updates {
		p.changes[i] = &change{Update: u, target: u.Branch}
	}
	whole := false
	defer func() {
		for _, c := range p.changes {
			if c.err != nil || !whole {
				db.release(c)
			}
		}
		if !whole { // a fault, which must leave no locks behind
			p.releasePacked()
		}
	}()
	p.lock(ctx)
	p.write(ctx)
	whole = true
	return p
}

// lock locks the branches and compares them.
func (p *prepared) lock(ctx context.Context) {
	p.db.turn.Lock()
	defer p.db.turn.Unlock()
	if err := p.db.usable(ctx); err != nil {
		p.each(func(c *change) { c.err = err })
		return
	}
	p.each(p.db.lockChange)
	p.check()
}

// usable returns why no update can be prepared at all, or nil.
func (db *DB) usable(ctx context.Context) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return errClosed
	}
	return ctx.Err()
}

// each calls f for the changes that have not failed.
func (p *prepared) each(f func(c *change)) {
	for _, c := range p.changes {
		if c.err == nil {
			f(c)
		}
	}
}

// lockChange locks the branch of c, not what it leads to.
func (db *DB) lockChange(c *change) {
	if c.err = datakit.CheckBranch(c.Branch); c.err == nil {
		c.err = db.addLock(c, c.Branch)
	}
}

// addLock locks a branch as the next one of c.
func (db *DB) addLock(c *change, branch string) error {
	l, parents, err := db.lockBranch(branch)
	c.parent = append(c.parent, parents...)
	if err != nil {
		db.removeParents(db.path(branch), db.heads)
		return lockError(c, branch, err)
	}
	c.locks = append(c.locks, l)
	return nil
}

// check reads the present heads and decides what is to be done for each
// change. The caller holds turn.
func (p *prepared) check() {
	var names []string
	p.each(func(c *change) { names = append(names, c.Branch) })
	errs := p.db.refresh(names...)
	i := 0
	p.each(func(c *change) {
		if errs != nil {
			c.err = errs[i]
		}
		i++
	})
	p.each(func(c *change) {
		if c.err = p.db.follow(c); c.err == nil {
			c.err = p.db.compare(c)
		}
	})
	p.lockPacked()
}

// follow locks what the branch of c leads to as a symbolic reference, unless
// it is the branch itself that is to be removed.
func (db *DB) follow(c *change) error {
	if c.New.IsZero() {
		return db.refreshChain(c.Branch)
	}
	for range maxReads {
		l := db.cache.at(c.target)
		switch l.kind {
		case foreign:
			return &datakit.Error{Op: "update", Subject: c.Branch, Kind: datakit.Invalid,
				Err: fmt.Errorf("it is a symbolic reference to %s, which is not a branch", l.target)}
		case symbolic:
			if err := db.addLock(c, l.target); err != nil {
				return err
			}
			c.target = l.target
			if errs := db.refresh(c.target); errs != nil {
				return errs[0]
			}
		default:
			return nil
		}
	}
	return damaged("update", c.Branch, "too many symbolic references in a row")
}

// compare compares the head with the old value and sets what is to be done.
func (db *DB) compare(c *change) error {
	now, err := db.cache.head(c.Branch)
	switch {
	case err != nil:
		return err
	case now != c.Old:
		return &store.MovedError{Branch: c.Branch, Now: now}
	case c.New == c.Old:
		return nil
	case c.New.IsZero():
		c.action = remove
		return nil
	}
	c.action = set
	if c.Old.IsZero() {
		return db.available(c.target)
	}
	return nil
}

// lockPacked locks packed-refs if a branch is to be removed: also if it has no
// line there, so that nobody gives it one before its file is gone.
func (p *prepared) lockPacked() {
	removes := false
	p.each(func(c *change) { removes = removes || c.action == remove })
	if !removes {
		return
	}
	l, err := p.db.lock(p.db.packs)
	if err == nil {
		p.packed = l
		err = p.db.refreshPacked()
	} else if !errors.Is(err, datakit.Locked) {
		err = ioError("lock", "packed-refs", err)
	}
	if err != nil {
		p.failPacked(err)
		return
	}
	var gone []string
	p.each(func(c *change) {
		if c.action == remove && !p.db.cache.packed.head(c.Branch).IsZero() {
			gone = append(gone, c.Branch)
		}
	})
	if len(gone) > 0 {
		p.pieces = p.db.cache.packed.without(gone)
	}
}

// failPacked fails the changes that need the lock of packed-refs.
func (p *prepared) failPacked(err error) {
	p.each(func(c *change) {
		if c.action == remove {
			c.err = err
		}
	})
	p.releasePacked()
}

func (p *prepared) releasePacked() {
	if p.packed != nil {
		p.packed.release()
		p.packed, p.pieces = nil, nil
	}
}

// write writes the new contents of files to their locks, durably.
func (p *prepared) write(ctx context.Context) {
	var jobs []func()
	p.each(func(c *change) {
		if c.action == set {
			jobs = append(jobs, func() { c.err = writeHead(ctx, c) })
		}
	})
	var err error
	if p.pieces != nil {
		jobs = append(jobs, func() { err = p.packed.write(p.pieces...) })
	}
	atOnce(jobs)
	if err != nil {
		p.failPacked(ioError("write", "packed-refs", err))
	}
}

func writeHead(ctx context.Context, c *change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := c.locks[len(c.locks)-1].write(c.New.String(), "\n")
	if err != nil {
		return ioError("write", c.Branch, err)
	}
	return nil
}

// atOnce runs jobs, several at a time, and waits for them.
func atOnce(jobs []func()) {
	if len(jobs) == 1 {
		jobs[0]()
		return
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, flushes)
	for _, job := range jobs {
		slots <- struct{}{}
		wg.Go(func() {
			job()
			<-slots
		})
	}
	wg.Wait()
}

// Errs returns why each update cannot be or was not made.
func (p *prepared) Errs() []error {
	errs := make([]error, len(p.changes))
	for i, c := range p.changes {
		errs[i] = c.err
	}
	return errs
}

// Abort gives up the locks.
func (p *prepared) Abort() {
	p.each(p.db.release)
	p.releasePacked()
}

// release gives up the locks of c and removes directories made for them.
func (db *DB) release(c *change) {
	for _, l := range c.locks {
		l.release()
		db.removeParents(l.path, db.heads)
	}
	c.locks = nil
}
