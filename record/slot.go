package record

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
)

// A content is what a branch has at a key: a text, or nothing.
type content struct {
	text string
	set  bool
}

func textOf(s string) content { return content{s, true} }

// A slot is a field without its type: a key, and what it is bound to.
type slot struct {
	key  datakit.Path // below the path of the record
	path datakit.Path // of the file

	// take gives the field a value and the version in which it got it.
	take func(content, Version)

	// What follows is guarded by Record.turn once the slot is in use.

	def     content
	written bool    // the default is in the branch of defaults
	keep    bool    // leave another default alone that is there
	now     content // what the field was made of
}

// newSlot returns a slot for a key. The error is datakit.Invalid if the key
// cannot be one.
func (r *Record) newSlot(key string, def content) (*slot, error) {
	p, err := datakit.ParsePath(key)
	if err == nil {
		for step := range p.Steps() {
			err = errors.Join(err, datakit.CheckName(step))
		}
	}
	if err != nil {
		return nil, invalidf("define field", "key %q: %w", key, err)
	}
	return &slot{key: p, path: r.cfg.Path.Join(p), def: def, now: def}, nil
}

// define adds a slot to the record, or has Seal and Wait tell why there is none.
func (r *Record) define(s *slot, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.invalid = errors.Join(r.invalid, err)
		return
	}
	r.slots = append(r.slots, s)
}

// malformed returns why fields could not be defined, or nil.
func (r *Record) malformed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.invalid
}

// read returns what a tree has at a path.
func read(ctx context.Context, t *datakit.Tree, path datakit.Path) (content, error) {
	b, err := t.ReadFile(ctx, path)
	if errors.Is(err, datakit.NotExist) {
		return content{}, nil
	}
	return content{string(b), err == nil}, err
}

// A change is what is to be written at a path: a text, or that it be removed.
type change struct {
	path datakit.Path
	to   content
}

// write makes changes in a transaction.
func write(ctx context.Context, tx *datakit.Tx, changes []change) error {
	for _, c := range changes {
		if err := c.write(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// writeFitting makes in one commit to b those of changes that can be made, and
// returns why others cannot: something else is at their place. The error is one
// for which none is made.
func writeFitting(ctx context.Context, b *datakit.Branch, msg string, changes []change) (unfit map[datakit.Path]error, err error) {
	if len(changes) == 0 {
		return nil, nil
	}
	err = b.Update(ctx, msg, func(tx *datakit.Tx) error {
		unfit = make(map[datakit.Path]error)
		for _, c := range changes {
			err := c.write(ctx, tx)
			if err != nil && !misplaced(err) {
				return err
			}
			if err != nil {
				unfit[c.path] = err
			}
		}
		if len(unfit) == len(changes) {
			return errNoneFits
		}
		return nil
	})
	if errors.Is(err, errNoneFits) {
		err = nil
	}
	return unfit, err
}

// errNoneFits ends a transaction without a commit.
var errNoneFits = errors.New("none of the changes can be made")

func (c change) write(ctx context.Context, tx *datakit.Tx) error {
	if !c.to.set {
		err := tx.Remove(ctx, c.path)
		if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) { // no such path
			return nil
		}
		return err
	}
	if err := tx.MkdirAll(ctx, c.path.Dir()); err != nil {
		return err
	}
	return tx.Create(ctx, c.path, datakit.Normal, []byte(c.to.text))
}
