package p9db

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// The place of all branches in the tree.
const branchDir = "branch"

var (
	wireEscapes = strings.NewReplacer("%", "%25", "/", "%2F")
	listEscapes = strings.NewReplacer("%25", "%", "%2F", "/", "%2f", "/")
)

// wireName returns how a branch is called in the tree. Servers of old know
// names with "/" as they are, and none with "%" (specification of the
// filesystem, FS-28).
func wireName(branch string) string {
	if strings.Contains(branch, "%") {
		return wireEscapes.Replace(branch)
	}
	return branch
}

// Branches implements datakit.Driver.
func (d *driver) Branches(ctx context.Context) ([]string, error) {
	f, err := d.walk(ctx, branchDir)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	list, err := f.ReadDir(ctx)
	if err != nil {
		return nil, d.fail(err)
	}
	names := make([]string, 0, len(list))
	for _, e := range list {
		name := listEscapes.Replace(e.Name)
		if d.madeKnown(name) { // and may have no head
			if h, err := d.Head(ctx, name); err != nil {
				return nil, err
			} else if h.IsZero() {
				continue
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// madeKnown reports whether a branch may exist for this connection only.
func (d *driver) madeKnown(branch string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[branch]
}

// Head implements datakit.Driver.
func (d *driver) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	text, err := d.readSmall(ctx, branchDir, wireName(branch), "head")
	if errors.Is(err, datakit.NotExist) {
		return datakit.Hash{}, nil
	} else if err != nil {
		return datakit.Hash{}, err
	}
	return parseHead(string(text))
}

// parseHead reads the line of a head, which is empty if there is none.
func parseHead(line string) (datakit.Hash, error) {
	line = strings.TrimSuffix(line, "\n")
	if line == "" {
		return datakit.Hash{}, nil
	}
	h, err := datakit.ParseHash(line)
	if err != nil {
		return h, internal("malformed head", line)
	}
	return h, nil
}

// knownTries is how often a branch is made known that others remove.
const knownTries = 100

// atBranch calls f with the steps to a branch, and again after making the
// branch known, as it may have no head.
func (d *driver) atBranch(ctx context.Context, branch string, f func(dir ...string) error) error {
	for try := 0; ; try++ {
		err := f(branchDir, wireName(branch))
		if !errors.Is(err, datakit.NotExist) || try == knownTries {
			return err
		}
		if err := d.makeKnown(ctx, branch); err != nil {
			return err
		}
	}
}

// makeKnown has the server know a branch without a head.
func (d *driver) makeKnown(ctx context.Context, branch string) error {
	d.mu.Lock()
	d.made[branch] = true
	d.mu.Unlock()
	err := d.mkdir(ctx, wireName(branch), branchDir)
	if errors.Is(err, datakit.Exist) {
		return d.branchConflict(ctx, branch, err)
	}
	return err
}

// inConflict reports whether Git cannot have both branches.
func inConflict(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// isConflict reports whether an error tells which branch is in conflict.
func isConflict(err error) bool {
	var other *datakit.BranchConflictError
	return errors.As(err, &other)
}

// An ownConflict is a conflict with a branch that exists for this connection
// only. There is none for other connections.
type ownConflict struct{ *datakit.BranchConflictError }

// Unwrap returns the conflict.
func (c ownConflict) Unwrap() error { return c.BranchConflictError }

// branchConflict finds out with which other branch a branch is in conflict.
func (d *driver) branchConflict(ctx context.Context, branch string, err error) error {
	names, lerr := d.Branches(ctx)
	if lerr != nil {
		return lerr
	}
	for _, other := range names {
		if inConflict(branch, other) {
			return &datakit.Error{Kind: datakit.Exist, Err: &datakit.BranchConflictError{Other: other}}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for other := range d.made {
		if inConflict(branch, other) {
			return &datakit.Error{Kind: datakit.Exist, Err: ownConflict{&datakit.BranchConflictError{Other: other}}}
		}
	}
	return err
}

// withConflict adds to an error of kind Exist with which branch the conflict
// is, if it is one.
func (d *driver) withConflict(ctx context.Context, branch string, err error) error {
	if errors.Is(err, datakit.Exist) && !isConflict(err) {
		return d.branchConflict(ctx, branch, err)
	}
	return err
}

// FastForward implements datakit.Driver.
func (d *driver) FastForward(ctx context.Context, branch string, to datakit.Hash) error {
	if _, err := d.Commit(ctx, to); err != nil {
		return err // so that what is not there is the branch
	}
	err := d.atBranch(ctx, branch, func(dir ...string) error {
		err := d.command(ctx, to.String(), append(dir, "fast-forward")...)
		return d.failAs(err, datakit.NotFastForward)
	})
	if isOwn(err) {
		side, serr := d.side(ctx)
		if serr != nil {
			return serr
		}
		defer side.Close()
		return side.FastForward(ctx, branch, to)
	}
	return d.withConflict(ctx, branch, err)
}

// isOwn reports whether an error is an ownConflict.
func isOwn(err error) bool {
	var own ownConflict
	return errors.As(err, &own)
}

// side returns the database over another connection, which the caller closes.
func (d *driver) side(ctx context.Context) (*driver, error) {
	return d.sideIn(ctx, d.opts.Version)
}

// sideIn is side with a dialect to propose.
func (d *driver) sideIn(ctx context.Context, version string) (*driver, error) {
	if d.opts.Redial == nil {
		return nil, &datakit.Error{Kind: datakit.Exist, Err: errInWay}
	}
	conn, err := d.opts.Redial(ctx)
	if err != nil {
		return nil, d.fail(err)
	}
	o := d.opts.client()
	o.PingInterval, o.Version = 0, version
	c, err := p9.NewClient(ctx, conn, o)
	if err != nil {
		return nil, d.fail(err)
	}
	side := newDriver(c, d.opts)
	side.kept, side.parent = d.kept, d
	d.mu.Lock()
	closed := d.closed.Load()
	if !closed {
		d.sides[side] = true
	}
	d.mu.Unlock()
	if closed {
		side.Close()
		return nil, d.ended()
	}
	return side, nil
}

var errInWay = errors.New("a branch without a head that is in use here would be a directory of its name, or the other way round")

// RemoveBranch implements datakit.Driver.
func (d *driver) RemoveBranch(ctx context.Context, branch string) error {
	err := d.beside(ctx, branch, func(c *p9.Client) error {
		f, err := c.Root().Walk(ctx, branchDir, wireName(branch))
		if err != nil {
			return d.fail(err)
		}
		return d.fail(f.Remove(ctx))
	})
	if errors.Is(err, datakit.NotExist) {
		return nil
	}
	return err
}

// RenameBranch implements datakit.Driver.
func (d *driver) RenameBranch(ctx context.Context, from, to string) error {
	h, err := d.Head(ctx, from)
	if err != nil {
		return err
	}
	if h.IsZero() {
		return datakit.NotExist
	}
	if from == to {
		return nil
	}
	if h, err := d.Head(ctx, to); err != nil {
		return err
	} else if !h.IsZero() {
		return datakit.Exist
	}
	err = d.beside(ctx, from, func(c *p9.Client) error {
		dir, err := c.Root().Walk(ctx, branchDir)
		if err != nil {
			return d.fail(err)
		}
		defer dir.Release()
		return d.fail(dir.RenameAt(ctx, wireName(from), dir, wireName(to)))
	})
	if errors.Is(err, datakit.IsDir) {
		return datakit.Exist
	}
	return d.withConflict(ctx, to, err)
}

var errInUse = errors.New("it has open transactions, and another connection, which leaves these alone, cannot be made")

// beside calls f with a connection on which there are no transactions of a
// branch: a server discards those with the branch, or has them follow its name.
func (d *driver) beside(ctx context.Context, branch string, f func(c *p9.Client) error) error {
	if d.closed.Load() {
		return d.ended()
	}
	if d.opts.Redial == nil {
		return d.alone(branch, func() error { return f(d.c) })
	}
	side, err := d.side(ctx)
	if err != nil {
		return err
	}
	defer side.Close()
	return f(side.c)
}

// alone calls f while there are no transactions of a branch.
func (d *driver) alone(branch string, f func() error) error {
	d.begin.Lock()
	defer d.begin.Unlock()
	d.mu.Lock()
	inUse := d.users[branch] > 0
	d.mu.Unlock()
	if inUse {
		return &datakit.Error{Kind: datakit.Invalid, Err: errInUse}
	}
	return f()
}

// use counts the transactions of a branch.
func (d *driver) use(branch string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users[branch] += n; d.users[branch] == 0 {
		delete(d.users, branch)
	}
}
