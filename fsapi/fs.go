package fsapi

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// An FS shows one database as files. Its methods may be called concurrently.
type FS struct {
	db      *datakit.DB
	log     *slog.Logger
	start   time.Time
	sources []LogSource

	transactions atomic.Int64
	streams      atomic.Int64

	mu       sync.Mutex // guards sessions
	sessions map[*Session]struct{}
}

// Options are the settings of an FS. The zero value serves.
type Options struct {
	// Start is the time that files show that have none of their own. Zero
	// means the time of New.
	Start time.Time

	// Sources are shown below /debug/src.
	Sources []LogSource

	// Log is told of what the tree does. Nil means nobody is.
	Log *slog.Logger
}

// A LogSource is a part of the server that logs at a level of its own. Its
// methods may be called concurrently.
type LogSource interface {
	Name() string  // a valid name of a file
	Doc() string   // one line that says what is logged
	Level() string // the present level

	// SetLevel sets the level: "quiet", "app", "error", "warning", "info" or
	// "debug". It fails for any other word.
	SetLevel(level string) error
}

// New returns an FS for db. Nil options are the default. Closing db is up to
// the caller, after all sessions have been closed.
func New(db *datakit.DB, opts *Options) *FS {
	if opts == nil {
		opts = &Options{}
	}
	fs := &FS{
		db:       db,
		log:      opts.Log,
		start:    opts.Start,
		sources:  slices.Clone(opts.Sources),
		sessions: make(map[*Session]struct{}),
	}
	if fs.log == nil {
		fs.log = slog.New(slog.DiscardHandler)
	}
	if fs.start.IsZero() {
		fs.start = time.Now()
	}
	slices.SortFunc(fs.sources, func(a, b LogSource) int { return strings.Compare(a.Name(), b.Name()) })
	return fs
}

// Transactions returns the number of open transactions.
func (fs *FS) Transactions() int { return int(fs.transactions.Load()) }

// Streams returns the number of open stream files.
func (fs *FS) Streams() int { return int(fs.streams.Load()) }

// base is the place of a node that lives as long as the server.
func (fs *FS) base(in vfs.Dir, name string) vfs.Base {
	return vfs.Base{In: in, Name: name, Time: fs.start}
}

// headSeen makes all sessions forget that they hold name for a branch without
// a head: it had one, and what happens to a head happens for everybody.
func (fs *FS) headSeen(name string) {
	fs.mu.Lock()
	sessions := make([]*Session, 0, len(fs.sessions))
	for s := range fs.sessions {
		sessions = append(sessions, s)
	}
	fs.mu.Unlock()
	for _, s := range sessions {
		s.headSeen(name)
	}
}
