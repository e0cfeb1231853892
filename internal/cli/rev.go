package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/datakit/datakit"
)

// revisions is what the help of commands says about REV.
const revisions = `
A REV is a branch, or a commit by its hash, of which the first digits will do.
REV~N is its Nth ancestor by first parents, and REV^N its Nth parent.`

// A place is a path of a branch or commit, as users write it: REV:PATH, or REV
// for the root. Branches cannot have a colon in their names.
type place struct {
	rev  string
	path datakit.Path
}

// parsePlace reads a place. The error is one of op.
func parsePlace(op, s string) (place, error) {
	rev, text, _ := strings.Cut(s, ":")
	if rev == "" {
		return place{}, usagef("%s %s: there is no branch before the colon: write BRANCH:PATH", op, quoted(s))
	}
	if text = strings.Trim(text, "/"); text == "" {
		return place{rev, datakit.Root}, nil
	}
	path, err := datakit.ParsePath(text)
	return place{rev, path}, about(op, s, err, "")
}

// quoted returns what a user wrote, so that one can see it.
func quoted(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// String is the inverse of parsePlace.
func (p place) String() string {
	if p.path == datakit.Root {
		return p.rev
	}
	return p.rev + ":" + p.path.String()
}

// ancestry matches what may follow a name in a REV.
var ancestry = regexp.MustCompile(`[~^][0-9]*`)

// commit returns the commit that rev names: a hash, the first digits of one, or
// a branch whose head it is, and after it what leads to an ancestor.
func commit(ctx context.Context, db *datakit.DB, rev string) (*datakit.Commit, error) {
	name, steps := rev, ""
	if i := strings.IndexAny(rev, "~^"); i >= 0 {
		name, steps = rev[:i], rev[i:]
	}
	h, err := resolve(ctx, db, name)
	if err != nil {
		return nil, err
	}
	c, err := db.Commit(ctx, h)
	if errors.Is(err, datakit.NotExist) {
		err = &datakit.Error{Kind: datakit.NotExist, Err: errNoRev}
	}
	if err != nil {
		return nil, about("find", rev, err, "")
	}
	if ancestry.ReplaceAllString(steps, "") != "" {
		return nil, usagef("find %s: after the name there can be ~N and ^N", rev)
	}
	for _, step := range ancestry.FindAllString(steps, -1) {
		if c, err = ancestor(ctx, db, c, step); err != nil {
			return nil, about("find", rev, err, "")
		}
	}
	return c, nil
}

var errNoParent = errors.New("the history does not go back so far")

// ancestor returns the ancestor of c that a step of a REV leads to.
func ancestor(ctx context.Context, db *datakit.DB, c *datakit.Commit, step string) (*datakit.Commit, error) {
	n := 1
	if len(step) > 1 {
		var err error
		if n, err = strconv.Atoi(step[1:]); err != nil {
			return nil, datakit.Invalid
		}
	}
	parent, times := 0, n // of ~
	if step[0] == '^' {
		parent, times = n-1, min(n, 1)
	}
	for range times {
		if parent >= len(c.Parents) {
			return nil, &datakit.Error{Kind: datakit.NotExist, Err: errNoParent}
		}
		var err error
		if c, err = db.Commit(ctx, c.Parents[parent]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// resolve returns the hash that a name stands for.
func resolve(ctx context.Context, db *datakit.DB, name string) (datakit.Hash, error) {
	if h, err := datakit.ParseHash(name); err == nil {
		return h, nil
	}
	if name == "" {
		return datakit.Hash{}, usagef("the name of a branch or commit is empty")
	}
	h, err := db.Branch(name).Head(ctx)
	if err != nil || !h.IsZero() {
		return h, err
	}
	if abbreviated.MatchString(name) {
		if h, err = expand(ctx, db, strings.ToLower(name)); err != nil || !h.IsZero() {
			return h, err
		}
	}
	return h, &datakit.Error{Op: "find", Subject: name, Kind: datakit.NotExist, Err: errNoRev}
}

var errNoRev = errors.New(`there is no branch or commit of that name; "datakit branch" lists the branches`)

// abbreviated matches the first digits of a hash.
var abbreviated = regexp.MustCompile(`^[0-9a-fA-F]{4,39}$`)

// shortLen is how many digits of a hash are printed where all would be too
// many. So many are taken to be of one commit only.
const shortLen = 12

// short returns the first digits of a hash.
func short(h datakit.Hash) string { return h.String()[:shortLen] }

// expand returns the commit in the history of the branches whose hash begins
// with some digits, and the zero Hash if there is none.
func expand(ctx context.Context, db *datakit.DB, digits string) (found datakit.Hash, err error) {
	heads, err := allHeads(ctx, db)
	if err != nil {
		return found, err
	}
	h := history{db: db}
	err = h.walk(ctx, heads, func(n *node) (bool, error) {
		if !strings.HasPrefix(n.Hash.String(), digits) {
			return true, nil
		}
		if !found.IsZero() {
			cause := fmt.Errorf("several commits begin so: %s and %s; write more digits", found, n.Hash)
			return false, &datakit.Error{Op: "find", Subject: digits, Kind: datakit.Invalid, Err: cause}
		}
		found = n.Hash
		return len(digits) < shortLen, nil
	})
	return found, err
}

// allHeads returns the heads of all branches.
func allHeads(ctx context.Context, db *datakit.DB) ([]datakit.Hash, error) {
	names, err := db.Branches(ctx)
	if err != nil {
		return nil, err
	}
	var heads []datakit.Hash
	for _, name := range names {
		h, err := db.Branch(name).Head(ctx)
		if err != nil {
			return nil, err
		}
		if !h.IsZero() { // deleted just now
			heads = append(heads, h)
		}
	}
	return heads, nil
}

// head returns the head of a branch, which must exist for op.
func head(ctx context.Context, db *datakit.DB, op, branch string) (datakit.Hash, error) {
	h, err := db.Branch(branch).Head(ctx)
	if err == nil && h.IsZero() {
		err = &datakit.Error{Op: op, Subject: quoted(branch), Kind: datakit.NotExist, Err: errNoBranch}
	}
	return h, err
}

var errNoBranch = errors.New(`there is no branch of that name; "datakit branch" lists them`)

// tree returns the contents of what rev names.
func tree(ctx context.Context, db *datakit.DB, rev string) (*datakit.Tree, error) {
	c, err := commit(ctx, db, rev)
	if err != nil {
		return nil, err
	}
	return c.Tree(ctx)
}
