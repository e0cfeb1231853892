package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
)

// A Version counts the states of a record. Later ones are greater.
type Version int

// InitialVersion is the version of a record until the first Wait has returned,
// and of a field that has not changed since it was defined.
const InitialVersion Version = 0

// A Config says what a record is a view of.
type Config struct {
	// Lookup are the branches that can have a value, the first first. Values
	// are set in the first. Required.
	Lookup []string

	// Defaults is the branch to which defaults are written. It should be the
	// last of Lookup. Empty means that they are not written.
	Defaults string

	// State is the branch that gets the values in effect. Empty means none.
	State string

	// Path is the directory of the keys in each branch.
	Path datakit.Path

	// Log is told of values that cannot be understood. Nil means nobody is.
	Log *slog.Logger
}

// check returns an error of kind datakit.Invalid unless a record can be opened.
func (c *Config) check() error {
	if len(c.Lookup) == 0 {
		return invalid("open record", errors.New("no lookup branches"))
	}
	return c.Path.Check()
}

// A Record is a set of fields. Make one with Open, define its fields, and call
// Seal or Wait. Close it in the end.
type Record struct {
	db     *datakit.DB
	cfg    Config
	log    *slog.Logger
	events *events

	end     context.CancelFunc // ends life
	life    context.Context    // of the record, until Close
	watches sync.WaitGroup

	// turn is held, by filling it, by whoever makes an update or writes
	// defaults. It guards schema, heads, and what of slots is said to be.
	turn   chan struct{}
	schema schema
	heads  []datakit.Hash // which the last update has read

	mu      sync.Mutex // guards what follows
	version Version
	slots   []*slot
	invalid error // definitions that are malformed
}

// Open returns a record without fields. ctx is for the call only. Lookup
// branches, and that of the state, which have no head get one. The database
// stays the caller's, and must be open as long as the record is.
func Open(ctx context.Context, db *datakit.DB, cfg Config) (*Record, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Lookup = slices.Clone(cfg.Lookup)
	r := &Record{db: db, cfg: cfg, log: cfg.Log, events: newEvents(), turn: make(chan struct{}, 1)}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.life, r.end = context.WithCancel(context.Background())
	r.defineSchema()
	if err := r.prepare(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// prepare makes branches, the default of the schema version, and watches.
func (r *Record) prepare(ctx context.Context) error {
	branches := r.cfg.Lookup
	if r.cfg.State != "" {
		branches = append(slices.Clone(branches), r.cfg.State)
	}
	for _, name := range branches {
		if err := makeBranch(ctx, r.db.Branch(name)); err != nil {
			return err
		}
	}
	if err := r.WriteDefaults(ctx); err != nil {
		return err
	}
	for _, name := range r.cfg.Lookup {
		w, err := r.db.Branch(name).WatchPath(ctx, r.cfg.Path)
		if err != nil {
			return err
		}
		r.watches.Go(func() { r.events.follow(r.life, name, w) })
	}
	return nil
}

// makeBranch gives a branch a first commit, unless it has a head.
func makeBranch(ctx context.Context, b *datakit.Branch) error {
	h, err := b.Head(ctx)
	if err != nil || !h.IsZero() {
		return err
	}
	return b.Update(ctx, "Creating branch", func(tx *datakit.Tx) error {
		return tx.Create(ctx, "branch-created", datakit.Normal, nil)
	})
}

// Close ends the watches of the record and whatever waits for it. All methods
// that take a context fail with datakit.Closed from then on. Fields keep their
// values. It may be called more than once, and the error is always nil.
func (r *Record) Close() error {
	r.events.fail(errClosed)
	r.end()
	r.watches.Wait()
	return nil
}

var errClosed = &datakit.Error{Op: "record", Kind: datakit.Closed, Err: errors.New("the record is closed")}

// begin waits until no other update or write of defaults is being made. It
// returns a context that Close ends too, and a function to be called in the end
// with the error, which it returns, or errClosed in place of it.
func (r *Record) begin(ctx context.Context) (context.Context, func(error) error, error) {
	ctx, done := r.living(ctx)
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, done(ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		<-r.turn
		return nil, nil, done(err)
	}
	return ctx, func(err error) error {
		<-r.turn
		return done(err)
	}, nil
}

// living is begin without waiting.
func (r *Record) living(ctx context.Context) (context.Context, func(error) error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(r.life, cancel)
	if r.life.Err() != nil {
		cancel()
	}
	return ctx, func(err error) error {
		defer cancel()
		if !stop() && err != nil {
			return errClosed
		}
		return err
	}
}

// Version returns the version of the record, which is that of the fields that
// changed last.
func (r *Record) Version() Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// fields returns the slots as they are defined now.
func (r *Record) fields() []*slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.slots)
}

// steps returns a path as messages of commits have it.
func steps(p datakit.Path) string {
	return "[" + strings.ReplaceAll(string(p), "/", " ") + "]"
}

func invalid(op string, err error) error {
	return &datakit.Error{Op: op, Kind: datakit.Invalid, Err: err}
}

func invalidf(op, format string, args ...any) error {
	return invalid(op, fmt.Errorf(format, args...))
}
