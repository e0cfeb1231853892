package p9db

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/datakit/datakit"
)

// Diff implements datakit.Driver.
func (d *driver) Diff(ctx context.Context, from, to datakit.Hash) ([]datakit.Change, error) {
	text, err := keep(d.kept, "diff "+from.String()+to.String(), func() (string, int, error) {
		b, err := d.readFile(ctx, "snapshots", to.String(), "diff", from.String())
		return string(b), 150 + len(b), err
	})
	if err != nil {
		return nil, err
	}
	return parseDiff(ctx, text, func() (_, _ contents, err error) {
		old, err := d.treeOf(ctx, from)
		if err != nil {
			return nil, nil, err
		}
		new, err := d.treeOf(ctx, to)
		return old, new, err
	})
}

// treeOf returns the tree of a commit.
func (d *driver) treeOf(ctx context.Context, h datakit.Hash) (datakit.TreeDriver, error) {
	c, err := d.Commit(ctx, h)
	if err != nil {
		return nil, err
	}
	return d.Tree(ctx, datakit.TreeID{Mode: datakit.Dir, Hash: c.TreeID})
}

// contents are what two trees are compared by.
type contents interface {
	Stat(ctx context.Context, path datakit.Path) (datakit.Entry, error)
	Open(ctx context.Context, path datakit.Path) (datakit.Blob, error)
}

// parseDiff reads a diff file (specification of the filesystem, FS-68). A name
// may have line ends in it. Where that shows, as there are lines that nothing
// can mean, or in the wrong order, the two trees tell what the names are.
func parseDiff(ctx context.Context, text string, trees func() (from, to contents, err error)) ([]datakit.Change, error) {
	lines := splitLines(text)
	changes := make([]datakit.Change, 0, len(lines))
	for _, line := range lines {
		c, ok := parseChange(line)
		if !ok || len(changes) > 0 && c.Path <= changes[len(changes)-1].Path {
			from, to, err := trees()
			if err != nil {
				return nil, err
			}
			return joinChanges(ctx, lines, from, to)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// splitLines returns the lines of a text without their ends.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// parseChange reads one line of a diff file.
func parseChange(line string) (datakit.Change, bool) {
	if len(line) < 3 || line[1] != ' ' || !strings.ContainsRune("+-*", rune(line[0])) {
		return datakit.Change{}, false
	}
	c := datakit.Change{Path: datakit.Path(line[2:]), Op: datakit.ChangeOp(line[0])}
	return c, c.Path.Check() == nil
}

// joinChanges reads a diff file with as many lines for each change as make one
// that there is between two trees.
func joinChanges(ctx context.Context, lines []string, from, to contents) ([]datakit.Change, error) {
	var changes []datakit.Change
	for len(lines) > 0 {
		n, err := joined(lines, func(text string) (bool, error) {
			c, ok := parseChange(text)
			if !ok || len(changes) > 0 && c.Path <= changes[len(changes)-1].Path {
				return false, nil
			}
			ok, err := isChange(ctx, c, from, to)
			if ok {
				changes = append(changes, c)
			}
			return ok, err
		})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, internal("malformed line of differences", lines[0])
		}
		lines = lines[n:]
	}
	return changes, nil
}

// maxJoined is of how many lines a path is put together at most.
const maxJoined = datakit.MaxName

// joined returns how many lines together are something, or 0.
func joined(lines []string, is func(text string) (bool, error)) (int, error) {
	for n := 1; n <= min(len(lines), maxJoined); n++ {
		ok, err := is(strings.Join(lines[:n], "\n"))
		if err != nil {
			return 0, err
		}
		if ok {
			return n, nil
		}
	}
	return 0, nil
}

// isChange reports whether something is a change from one tree to another.
func isChange(ctx context.Context, c datakit.Change, from, to contents) (bool, error) {
	old, err := fileAt(ctx, from, c.Path)
	if err != nil {
		return false, err
	}
	new, err := fileAt(ctx, to, c.Path)
	if err != nil {
		return false, err
	}
	switch {
	case c.Op == datakit.Added:
		return old.Mode == datakit.Absent && new.Mode != datakit.Absent, nil
	case c.Op == datakit.Removed:
		return old.Mode != datakit.Absent && new.Mode == datakit.Absent, nil
	case old.Mode == datakit.Absent || new.Mode == datakit.Absent:
		return false, nil
	case old.Mode != new.Mode || old.Size != new.Size:
		return true, nil
	}
	same, err := sameContent(ctx, from, to, c.Path)
	return !same, err
}

// fileAt returns the file or link at path, whose Mode is Absent if there is
// none.
func fileAt(ctx context.Context, in contents, path datakit.Path) (datakit.Entry, error) {
	e, err := in.Stat(ctx, path)
	if lasting(err) || err == nil && e.Mode == datakit.Dir {
		return datakit.Entry{}, nil
	}
	return e, err
}

// sameContent reports whether a file is the same in two trees.
func sameContent(ctx context.Context, a, b contents, path datakit.Path) (bool, error) {
	x, err := a.Open(ctx, path)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := b.Open(ctx, path)
	if err != nil {
		return false, err
	}
	defer y.Close()
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for off := int64(0); ; off += int64(len(p)) {
		n, err := x.ReadAt(ctx, p, off)
		if err != nil && err != io.EOF {
			return false, err
		}
		m, err2 := y.ReadAt(ctx, q, off)
		switch {
		case err2 != nil && err2 != io.EOF:
			return false, err2
		case !bytes.Equal(p[:n], q[:m]):
			return false, nil
		case errors.Is(err, io.EOF):
			return true, nil
		}
	}
}
