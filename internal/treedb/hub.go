package treedb

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/datakit/datakit"
)

// reflogLimit is how many heads a reader of a reflog may be behind.
const reflogLimit = 10_000

// A hub tells watches of changed heads.
type hub struct {
	db     *DB
	cancel func() // ends the subscription to the references

	mu       sync.Mutex // guards what follows, and the fields of cells
	cells    map[string]*cell
	expected map[string][]datakit.Hash // heads about to be set by one update
	all      map[*branchesWatch]bool
}

// A cell is the head of a branch that somebody watches.
type cell struct {
	branch  string
	users   int
	known   bool // head was read or announced
	head    datakit.Hash
	moved   chan struct{} // closed when head changes
	reflogs map[*reflogWatch]bool
}

func newHub(db *DB) *hub {
	h := &hub{
		db:       db,
		cells:    make(map[string]*cell),
		expected: make(map[string][]datakit.Hash),
		all:      make(map[*branchesWatch]bool),
	}
	h.cancel = db.refs.Subscribe(h.changed)
	return h
}

func (h *hub) close() { h.cancel() }

// expect announces that an update is about to move a branch through several
// heads in one step. The result withdraws that.
func (h *hub) expect(branch string, heads []datakit.Hash) (withdraw func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expected[branch] = heads
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.expected, branch)
	}
}

// changed tells all who watch branch that its head is new.
func (h *hub) changed(branch string, head datakit.Hash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		w.add(branch)
	}
	heads := h.expected[branch]
	if len(heads) == 0 || heads[len(heads)-1] != head {
		heads = []datakit.Hash{head}
	}
	c := h.cells[branch]
	if c == nil {
		return
	}
	for w := range c.reflogs {
		w.add(heads)
	}
	c.set(head)
}

func (c *cell) set(head datakit.Hash) {
	c.known = true
	if c.head == head {
		return
	}
	c.head = head
	close(c.moved)
	c.moved = make(chan struct{})
}

// acquire returns the cell of a branch, with its head known, until release.
func (h *hub) acquire(ctx context.Context, branch string) (*cell, error) {
	h.mu.Lock()
	c := h.cells[branch]
	if c == nil {
		c = &cell{branch: branch, moved: make(chan struct{}), reflogs: make(map[*reflogWatch]bool)}
		h.cells[branch] = c
	}
	c.users++
	known := c.known
	h.mu.Unlock()
	if known {
		return c, nil
	}
	head, err := h.db.refs.Head(ctx, branch)
	if err != nil {
		h.release(c)
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.known { // else a later change was announced meanwhile
		c.set(head)
	}
	return c, nil
}

func (h *hub) release(c *cell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.users--; c.users == 0 {
		delete(h.cells, c.branch)
	}
}

// look returns the present head and a channel that is closed when it changes.
func (h *hub) look(c *cell) (datakit.Hash, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return c.head, c.moved
}

// A waiter is the part of a watch that ends.
type waiter struct {
	db     *DB
	closed chan struct{}
	once   sync.Once
}

func newWaiter(db *DB) waiter { return waiter{db: db, closed: make(chan struct{})} }

// wait waits for news and returns why it ended if there are none.
func (w *waiter) wait(ctx context.Context, news <-chan struct{}) error {
	select {
	case <-news:
		return w.check(ctx)
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closed:
		return datakit.Closed
	case <-w.db.ended:
		return datakit.Closed
	}
}

// check returns why no more values may be returned, or nil if they may.
func (w *waiter) check(ctx context.Context) error {
	select {
	case <-w.closed:
		return datakit.Closed
	case <-w.db.ended:
		return datakit.Closed
	default:
		return ctx.Err()
	}
}

// end calls release once.
func (w *waiter) end(release func()) error {
	w.once.Do(func() {
		close(w.closed)
		release()
	})
	return nil
}

// A headWatch is the latest-only watch of a head.
type headWatch struct {
	waiter
	cell    *cell
	last    datakit.Hash
	started bool // last was returned
}

// WatchHead implements datakit.BranchDriver.
func (db *DB) WatchHead(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	return db.watchHead(ctx, branch)
}

func (db *DB) watchHead(ctx context.Context, branch string) (*headWatch, error) {
	c, err := db.hub.acquire(ctx, branch)
	if err != nil {
		return nil, err
	}
	head, _ := db.hub.look(c)
	return &headWatch{waiter: newWaiter(db), cell: c, last: head}, nil
}

func (w *headWatch) Next(ctx context.Context) (datakit.Hash, error) {
	if err := w.check(ctx); err != nil {
		return datakit.Hash{}, err
	}
	if !w.started {
		w.started = true
		return w.last, nil
	}
	for {
		head, moved := w.db.hub.look(w.cell)
		if head != w.last {
			w.last = head
			return head, nil
		}
		if err := w.wait(ctx, moved); err != nil {
			return datakit.Hash{}, err
		}
	}
}

func (w *headWatch) Close() error { return w.end(func() { w.db.hub.release(w.cell) }) }

// A pathWatch is the latest-only watch of what a head has at a path.
type pathWatch struct {
	*headWatch
	path    datakit.Path
	last    datakit.Entry
	started bool // last was returned
}

// WatchPath implements datakit.BranchDriver.
func (db *DB) WatchPath(ctx context.Context, branch string, path datakit.Path) (datakit.Watch[datakit.Entry], error) {
	w, err := db.watchHead(ctx, branch)
	if err != nil {
		return nil, err
	}
	return &pathWatch{headWatch: w, path: path}, nil
}

func (w *pathWatch) Next(ctx context.Context) (datakit.Entry, error) {
	for {
		head, err := w.headWatch.Next(ctx)
		if err != nil {
			return datakit.Entry{}, err
		}
		e, err := w.db.stateAt(head, w.path)
		if err != nil {
			return datakit.Entry{}, err
		}
		if !w.started || e != w.last {
			w.started, w.last = true, e
			return e, nil
		}
	}
}

// stateAt returns mode and hash of what a commit has at path.
func (db *DB) stateAt(head datakit.Hash, path datakit.Path) (datakit.Entry, error) {
	root, err := db.treeOfHead(head)
	if err != nil {
		return datakit.Entry{}, err
	}
	e, err := db.treeAt(datakit.TreeID{Mode: datakit.Dir, Hash: root}).find(path)
	switch {
	case err == datakit.NotExist || err == datakit.NotDir:
		return datakit.Entry{}, nil
	case err != nil:
		return datakit.Entry{}, err
	}
	return datakit.Entry{Mode: e.Mode, Hash: e.Hash}, nil
}

// A reflogWatch queues every head for its reader.
type reflogWatch struct {
	waiter
	cell *cell

	// The hub's mutex guards what follows.
	queue    []datakit.Hash
	overflow bool
	news     chan struct{} // closed when there is something after nothing
}

// Reflog implements datakit.BranchDriver.
func (db *DB) Reflog(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	c, err := db.hub.acquire(ctx, branch)
	if err != nil {
		return nil, err
	}
	w := &reflogWatch{waiter: newWaiter(db), cell: c, news: make(chan struct{})}
	db.hub.mu.Lock()
	defer db.hub.mu.Unlock()
	c.reflogs[w] = true
	return w, nil
}

// add queues heads. The caller holds the hub's mutex.
func (w *reflogWatch) add(heads []datakit.Hash) {
	if w.overflow {
		return
	}
	if len(w.queue) == 0 {
		close(w.news)
	}
	w.queue = append(w.queue, heads...)
	if len(w.queue) > reflogLimit {
		w.queue, w.overflow = nil, true
	}
}

func (w *reflogWatch) Next(ctx context.Context) (datakit.Hash, error) {
	for {
		if err := w.check(ctx); err != nil {
			return datakit.Hash{}, err
		}
		head, news, err := w.take()
		if news == nil {
			return head, err
		}
		if err := w.wait(ctx, news); err != nil {
			return datakit.Hash{}, err
		}
	}
}

// take returns the next head, or a channel that is closed when there is one.
func (w *reflogWatch) take() (datakit.Hash, <-chan struct{}, error) {
	w.db.hub.mu.Lock()
	defer w.db.hub.mu.Unlock()
	if w.overflow {
		return datakit.Hash{}, nil, datakit.Overflow
	}
	if len(w.queue) == 0 {
		return datakit.Hash{}, w.news, nil
	}
	head := w.queue[0]
	if w.queue = w.queue[1:]; len(w.queue) == 0 {
		w.queue = nil
		w.news = make(chan struct{})
	}
	return head, nil, nil
}

func (w *reflogWatch) Close() error {
	return w.end(func() {
		w.db.hub.mu.Lock()
		delete(w.cell.reflogs, w)
		w.queue = nil
		w.db.hub.mu.Unlock()
		w.db.hub.release(w.cell)
	})
}

// A branchesWatch collects the names of branches that have changed.
type branchesWatch struct {
	waiter

	// The hub's mutex guards what follows.
	names map[string]bool
	news  chan struct{} // closed when there is something after nothing
}

// WatchBranches implements datakit.BranchWatcher.
func (db *DB) WatchBranches(ctx context.Context) (datakit.Watch[[]string], error) {
	w := &branchesWatch{waiter: newWaiter(db), names: make(map[string]bool), news: make(chan struct{})}
	db.hub.mu.Lock()
	defer db.hub.mu.Unlock()
	db.hub.all[w] = true
	return w, nil
}

// add notes a branch. The caller holds the hub's mutex.
func (w *branchesWatch) add(branch string) {
	if len(w.names) == 0 {
		close(w.news)
	}
	w.names[branch] = true
}

func (w *branchesWatch) Next(ctx context.Context) ([]string, error) {
	for {
		if err := w.check(ctx); err != nil {
			return nil, err
		}
		names, news := w.take()
		if len(names) > 0 {
			return names, nil
		}
		if err := w.wait(ctx, news); err != nil {
			return nil, err
		}
	}
}

func (w *branchesWatch) take() ([]string, <-chan struct{}) {
	w.db.hub.mu.Lock()
	defer w.db.hub.mu.Unlock()
	if len(w.names) == 0 {
		return nil, w.news
	}
	names := slices.Sorted(maps.Keys(w.names))
	w.names = make(map[string]bool)
	w.news = make(chan struct{})
	return names, nil
}

func (w *branchesWatch) Close() error {
	return w.end(func() {
		w.db.hub.mu.Lock()
		defer w.db.hub.mu.Unlock()
		delete(w.db.hub.all, w)
	})
}
