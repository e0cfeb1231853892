package refdb

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// Options say how a DB works. The zero value is good for use.
type Options struct {
	// NoSync leaves out all flushes. After a crash of the machine branches
	// may then be damaged.
	NoSync bool

	// Log gets what goes wrong in the background; nil is nowhere.
	Log *slog.Logger

	// PollInterval is the time from one look at the disk for changes that no
	// notification tells of to the next; 0 is a second.
	PollInterval time.Duration
}

// A DB is the branches of one repository. It is store.Refs.
type DB struct {
	dir    string // the Git directory that all work trees have in common
	heads  string // where the loose branches are
	packs  string // packed-refs, or what it is a symbolic link to
	disk   *disk
	log    *slog.Logger
	owner  owner
	subs   subscribers
	stop   context.CancelFunc
	done   chan struct{} // closed when the watcher has returned
	loaded chan struct{} // closed when the first scan has ended

	turn sync.Mutex // see the package comment; taken before mu

	mu     sync.RWMutex // guards what follows; to change it takes turn as well
	cache  cache
	closed bool
}

var _ store.Refs = (*DB)(nil)

// Open opens the branches of the existing Git directory gitDir, which may be
// that of an additional work tree. It removes locks that dead processes which
// had opened the same branches have left behind, and nothing else. All
// branches are read in the background.
func Open(gitDir string, opts *Options) (*DB, error) {
	if opts == nil {
		opts = &Options{}
	}
	return open(gitDir, opts, &disk{noSync: opts.NoSync})
}

func open(gitDir string, opts *Options, disk *disk) (*DB, error) {
	db := &DB{
		disk:   disk,
		log:    opts.Log,
		done:   make(chan struct{}),
		loaded: make(chan struct{}),
		cache:  newCache(),
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if err := db.locate(gitDir); err != nil {
		return nil, ioError("open", gitDir, err)
	}
	db.owner = owner{disk: disk, base: filepath.Join(db.dir, "datakit", "locks")}
	if err := db.removeDeadLocks(); err != nil {
		db.log.Warn("locks of a dead process may remain", "error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	db.stop = cancel
	w := newWatcher(db, opts.PollInterval)
	go func() {
		defer close(db.done)
		w.run(ctx)
	}()
	return db, nil
}

// locate finds the directories and files that the branches of gitDir are in.
func (db *DB) locate(gitDir string) error {
	dir, err := filepath.Abs(gitDir)
	if err != nil {
		return err
	}
	db.dir = dir
	common, err := os.ReadFile(filepath.Join(dir, "commondir"))
	switch {
	case err == nil:
		db.dir = strings.TrimRight(string(common), "\r\n")
		if !filepath.IsAbs(db.dir) {
			db.dir = filepath.Join(dir, db.dir)
		}
	case !absent(err):
		return err
	}
	if info, err := os.Stat(db.dir); err != nil {
		return err
	} else if !info.IsDir() {
		return errors.New("not a Git directory")
	}
	db.heads = filepath.Join(db.dir, "refs", "heads")
	if info, err := os.Stat(db.heads); err == nil && !info.IsDir() {
		return errors.New("the repository keeps its references in a format other than files")
	}
	db.packs = filepath.Join(db.dir, "packed-refs")
	if target, err := os.Readlink(db.packs); err == nil {
		db.packs = target
		if !filepath.IsAbs(target) {
			db.packs = filepath.Join(db.dir, target)
		}
	}
	return nil
}

// Branches returns the names of all branches that have a head, sorted. It
// waits until all branches have been read once.
func (db *DB) Branches(ctx context.Context) ([]string, error) {
	select {
	case <-db.loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l, err := db.list()
	if err != nil {
		return nil, err
	}
	return l.names(), nil
}

func (db *DB) list() (listing, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return listing{}, errClosed
	}
	return db.cache.list()
}

// Head returns the head of a branch, or zero.
func (db *DB) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	h, complete, err := db.headInCache(branch)
	if complete {
		return h, err
	}
	return db.headOnDisk(ctx, branch)
}

// headInCache is Head if all branches have been read.
func (db *DB) headInCache(branch string) (h datakit.Hash, complete bool, err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	switch {
	case db.closed:
		return datakit.Hash{}, true, errClosed
	case db.cache.incomplete != nil:
		return datakit.Hash{}, false, nil
	}
	h, err = db.cache.head(branch)
	return h, true, err
}

// headOnDisk is Head while not all branches have been read.
func (db *DB) headOnDisk(ctx context.Context, branch string) (datakit.Hash, error) {
	if datakit.CheckBranch(branch) != nil {
		return datakit.Hash{}, nil
	}
	db.turn.Lock()
	defer db.turn.Unlock()
	if err := db.usable(ctx); err != nil {
		return datakit.Hash{}, err
	}
	if err := db.refreshChain(branch); err != nil {
		return datakit.Hash{}, err
	}
	return db.cache.head(branch)
}

// Close ends all subscriptions and releases what is held. Updates that have
// been prepared must have been applied or given up before. A second Close does
// nothing.
func (db *DB) Close() error {
	db.stop()
	<-db.done
	db.turn.Lock()
	defer db.turn.Unlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	db.subs.clear()
	db.cache.packed.close()
	return db.owner.close()
}

var errClosed = &datakit.Error{Kind: datakit.Closed, Err: errors.New("the repository is closed")}

// ioError says that the file system failed. Without it an error of the system
// about a missing file would read as one about a missing branch.
func ioError(op, subject string, err error) error {
	kind := datakit.IO
	if datakit.KindOf(err) == datakit.NoSpace {
		kind = datakit.NoSpace
	}
	return &datakit.Error{Op: op, Subject: subject, Kind: kind, Err: err}
}

// damaged says that the repository is not as Git would have made it.
func damaged(op, subject, text string) error {
	return &datakit.Error{Op: op, Subject: subject, Kind: datakit.Internal, Err: errors.New(text)}
}
