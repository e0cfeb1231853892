package layout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// maxText is the length in bytes beyond which a file is no value of the model.
// GitHub's longest texts are below it, in whatever encoding.
const maxText = 1 << 20

// maxReason is the length in bytes of the longest reason of a Malformed.
const maxReason = 300

// files is the directory of an element, as far as it was listed.
type files struct {
	tree  *datakit.Tree
	dir   datakit.Path
	modes map[string]datakit.Mode
}

// list lists a directory. It has no files if there is none.
func list(ctx context.Context, tree *datakit.Tree, dir datakit.Path) (files, error) {
	entries, err := readDir(ctx, tree, dir)
	if err != nil {
		return files{}, err
	}
	modes := make(map[string]datakit.Mode, len(entries))
	for _, e := range entries {
		modes[e.Name] = e.Mode
	}
	return files{tree, dir, modes}, nil
}

// readDir returns the entries of a directory, none if there is no directory.
func readDir(ctx context.Context, tree *datakit.Tree, dir datakit.Path) ([]datakit.Entry, error) {
	entries, err := tree.ReadDir(ctx, dir)
	if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) {
		return nil, nil
	}
	return entries, err
}

// has reports whether there is a file of that name, one that is executable
// included.
func (f files) has(name string) bool { return f.modes[name].IsFile() }

// there reports whether there is anything of that name.
func (f files) there(name string) bool { return f.modes[name] != datakit.Absent }

// path returns the path of a file.
func (f files) path(name string) datakit.Path { return f.dir.Join(datakit.Path(name)) }

// A fault is why a file cannot be understood. The reason tells which one it is,
// as the file .error has no path.
type fault struct{ name, reason string }

func (f *fault) Error() string { return f.name + ": " + f.reason }

// asFault returns err as a *fault if it is one.
func asFault(err error) (why *fault, ok bool) {
	ok = errors.As(err, &why)
	return why, ok
}

// malformed returns what is to be reported of a fault.
func (f files) malformed(id github.ID, why *fault) *Malformed {
	reason := why.reason
	if len(reason) > maxReason { // it quotes what somebody wrote
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	return &Malformed{Path: f.path(why.name), Reason: reason, ID: id}
}

// text returns the content of a file, and ok whether there is one. The error is
// a *fault if something else is in its place, or if it is too large.
func (f files) text(ctx context.Context, name string) (text string, ok bool, err error) {
	switch mode := f.modes[name]; {
	case mode == datakit.Absent:
		return "", false, nil
	case !mode.IsFile():
		return "", false, f.misplaced(name)
	}
	b, err := f.tree.Open(ctx, f.path(name))
	if err != nil {
		return "", false, err
	}
	defer b.Close()
	if b.Size() > maxText {
		return "", false, &fault{name, fmt.Sprintf("%s is longer than %d bytes", name, maxText)}
	}
	data := make([]byte, b.Size())
	if _, err := b.ReadAt(ctx, data, 0); err != nil && err != io.EOF {
		return "", false, err
	}
	return string(data), true, nil
}

// misplaced says that something else is in the place of a file.
func (f files) misplaced(name string) *fault {
	return &fault{name, fmt.Sprintf("%s is a %s in the place of a file", name, f.modes[name])}
}

// trimmed is text without ASCII whitespace at both ends.
func (f files) trimmed(ctx context.Context, name string) (text string, ok bool, err error) {
	text, ok, err = f.text(ctx, name)
	return github.Trim(text), ok, err
}
