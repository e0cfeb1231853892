package odb

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/gitdir"
	"github.com/datakit/datakit/internal/store"
)

var _ store.Objects = (*Store)(nil)

// Options are the settings of a Store. The zero value is good for most.
type Options struct {
	CacheBytes int // bound of the cache of decoded objects; 0 means 64 MiB

	// Level is how hard blobs are compressed, from 1 to 9; 0 means 6. Trees
	// and commits, which are many and short-lived, take the fastest.
	Level int

	// NoSync leaves out what brings data to stable storage. It is for tests,
	// and for repositories that nobody would miss.
	NoSync bool

	Log *slog.Logger // nil means no log

	files *fileOps // set by tests only; nil means the system's
}

// deltaBases is the bound of the cache of bases of deltas, in bytes.
const deltaBases = 16 << 20

// A Store is a store.Objects on disk. After Close its methods fail with
// Closed; open Blobs stay readable, as far as that needs no temporary file.
type Store struct {
	opts    Options
	gitDir  string
	objects string // the objects directory
	dirs    []*objectDir
	files   fileOps
	cache   *cache.Cache[datakit.Hash, content]
	unpacker
	whole  *cache.Cache[datakit.Hash, bool] // large blobs that were found to have their name
	spills spills

	ownMu sync.Mutex // guards what follows, and is held to set closed
	own   *session   // nil until something is to be written
	keeps *keeps

	closed   atomic.Bool
	released atomic.Int64    // packs
	merge    chan struct{}   // has room for one; asks for small packs to be merged
	ctx      context.Context // of our goroutines
	cancel   context.CancelFunc
	work     sync.WaitGroup // of our goroutines
}

// An objectDir is an objects directory, ours or an alternate.
type objectDir struct {
	path  string
	packs *packDir
}

// Open opens the objects of the repository with the given Git directory, and
// removes what Stores that were killed have left behind, as far as it may.
// Nothing else is written before there is something to write, so that one may
// read what belongs to somebody else, and an administrator leaves nothing there
// that its owner could not write to.
func Open(gitDir string, opts *Options) (*Store, error) {
	s := &Store{gitDir: gitDir, objects: filepath.Join(gitDir, "objects"), merge: make(chan struct{}, 1)}
	if opts != nil {
		s.opts = *opts
	}
	if err := s.opts.setDefaults(); err != nil {
		return nil, err
	}
	s.files = osFiles
	if s.opts.files != nil {
		s.files = *s.opts.files
	}
	s.cache = cache.New[datakit.Hash, content](s.opts.CacheBytes)
	s.whole = cache.New[datakit.Hash, bool](wholeBlobs)
	s.bases = cache.New[baseKey, content](deltaBases)
	if err := s.open(); err != nil {
		return nil, &datakit.Error{Op: "open objects", Subject: s.objects, Kind: datakit.KindOf(err), Err: err}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(func() { s.mergeLoop(s.ctx) })
	return s, nil
}

func (o *Options) setDefaults() error {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Level == 0 {
		o.Level = 6
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Level < 1 || o.Level > 9 {
		return &datakit.Error{Op: "open objects", Kind: datakit.Invalid, Err: errLevel}
	}
	return nil
}

var errLevel = errors.New("the level of compression is from 1 to 9")

func (s *Store) open() error {
	packs := filepath.Join(s.objects, "pack")
	if err := os.MkdirAll(packs, 0o777); err != nil && !gitdir.Unwritable(err) {
		return err
	}
	dirs, err := objectDirs(s.objects)
	if err != nil {
		return err
	}
	removeDead(s.sessions(), s.opts.Log)
	removeKeeps(s.sessions(), packs, s.opts.Log)
	for _, dir := range dirs {
		d := &objectDir{dir, newPackDir(filepath.Join(dir, "pack"), s.opts.Log)}
		s.dirs = append(s.dirs, d)
		if err := d.packs.rescan(true); err != nil {
			s.release()
			return err
		}
	}
	return nil
}

// sessions returns the directory of sessions.
func (s *Store) sessions() string { return filepath.Join(s.gitDir, "datakit") }

// session returns the session, which is made unless there is one.
func (s *Store) session() (*session, error) {
	s.ownMu.Lock()
	defer s.ownMu.Unlock()
	if s.own != nil {
		return s.own, nil
	}
	if s.closed.Load() {
		return nil, datakit.Closed
	}
	own, err := newSession(s.sessions())
	if err != nil {
		return nil, err
	}
	keeps, err := newKeeps(own, &s.files)
	if err != nil {
		return nil, errors.Join(err, own.close())
	}
	s.own, s.keeps = own, keeps
	if s.opts.files == nil {
		s.work.Go(func() { own.makeSpares(s.ctx, &osFiles) })
	}
	return own, nil
}

// packs returns our own directory of packs.
func (s *Store) packs() *packDir { return s.dirs[0].packs }

// TempDir returns a directory for temporary files of whoever uses the Store.
// It is removed with all that is in it by Close or, if the program is killed,
// by the next Open of a Store of the repository. Where the repository may only
// be read it is "", which stands for the system's.
func (s *Store) TempDir() string {
	own, err := s.session()
	if err != nil {
		return ""
	}
	return own.spill
}

// Close implements store.Objects. It waits for the work in the background to end.
func (s *Store) Close() error {
	s.ownMu.Lock()
	closed := s.closed.Swap(true)
	s.ownMu.Unlock()
	if closed {
		return nil
	}
	s.cancel()
	s.work.Wait()
	return s.release()
}

func (s *Store) release() error {
	for _, d := range s.dirs {
		d.packs.close()
	}
	if s.own == nil { // and stays so, as the Store is closed
		return nil
	}
	for _, name := range s.keeps.all() {
		os.Remove(filepath.Join(s.objects, "pack", name+".keep")) // else the next Open does
	}
	return s.own.close()
}
