package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
)

// A resolution is what the user said of conflicts.
type resolution struct {
	option string // as it was given
	dir    datakit.Path
	take   func(ctx context.Context, path datakit.Path) error
	exact  bool // whether it is for dir alone, and not for what is below
	used   bool
}

// A resolver settles conflicts. It copies files of this machine to resolve
// them; close it.
type resolver struct {
	copier
	merge *datakit.Merge
	said  []*resolution
}

// parse reads the options. "." is the root.
func (r *resolver) parse(ours, theirs, files []string) error {
	for _, given := range ours {
		take := func(ctx context.Context, path datakit.Path) error { return take(ctx, r.tx, r.merge.Ours, path) }
		if err := r.add("--ours", given, take); err != nil {
			return err
		}
	}
	for _, given := range theirs {
		take := func(ctx context.Context, path datakit.Path) error { return take(ctx, r.tx, r.merge.Theirs, path) }
		if err := r.add("--theirs", given, take); err != nil {
			return err
		}
	}
	for _, given := range files {
		path, file, ok := strings.Cut(given, "=")
		if !ok || file == "" {
			return usagef("merge --resolve %s: write PATH=FILE", quoted(given))
		}
		take := func(ctx context.Context, path datakit.Path) error {
			if err := discard(ctx, r.tx, path); err != nil {
				return err
			}
			return r.source(ctx, path, file)
		}
		if err := r.add("--resolve", path, take); err != nil {
			return err
		}
		r.said[len(r.said)-1].exact = true
	}
	return nil
}

func (r *resolver) add(option, given string, take func(ctx context.Context, path datakit.Path) error) error {
	said := &resolution{option: option + " " + quoted(given), take: take}
	if text := strings.Trim(given, "/"); text != "." {
		var err error
		if said.dir, err = datakit.ParsePath(text); err != nil {
			return about("merge", said.option, err, "")
		}
	}
	r.said = append(r.said, said)
	return nil
}

// resolve settles the conflicts of the merge as the user said, and returns
// those of which nothing was said.
func (r *resolver) resolve(ctx context.Context) (left []datakit.Path, err error) {
	for _, path := range r.merge.Conflicts {
		said := r.resolution(path)
		if said == nil {
			left = append(left, path)
			continue
		}
		said.used = true
		if err := said.take(ctx, path); err != nil {
			return nil, about("merge", said.option, err, "")
		}
	}
	return left, r.unused()
}

// resolution returns what was said of a conflict, or nil. The longest path
// counts, and the first of equal ones.
func (r *resolver) resolution(path datakit.Path) (best *resolution) {
	for _, said := range r.said {
		if path != said.dir && (said.exact || !path.Within(said.dir)) {
			continue
		}
		if best == nil || len(said.dir) > len(best.dir) {
			best = said
		}
	}
	return best
}

// unused returns an error if something was said of what is no conflict, as it
// is when a path is mistyped.
func (r *resolver) unused() error {
	for _, said := range r.said {
		if said.used || said.dir == datakit.Root {
			continue
		}
		conflicts := make([]string, len(r.merge.Conflicts))
		for i, path := range r.merge.Conflicts {
			conflicts[i] = path.String()
		}
		cause := errors.New("there are no conflicts at all")
		if len(conflicts) > 0 {
			cause = fmt.Errorf("there is no conflict of which nothing else is said; conflicts are %s", strings.Join(conflicts, ", "))
		}
		return &datakit.Error{Op: "merge", Subject: said.option, Kind: datakit.NotExist, Err: cause}
	}
	return nil
}

// conflictReason returns why a path is a conflict: the second line of the file
// that stands there (specification of the filesystem, FS-132).
func conflictReason(ctx context.Context, tx *datakit.Tx, path datakit.Path) (string, error) {
	b, err := tx.ReadFile(ctx, path)
	if err != nil {
		return "", err
	}
	_, reason, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(reason), nil
}

// take makes what is at path in a transaction that of a tree.
func take(ctx context.Context, tx *datakit.Tx, from *datakit.Tree, path datakit.Path) error {
	if err := discard(ctx, tx, path); err != nil {
		return err
	}
	e, err := from.Stat(ctx, path)
	switch {
	case errors.Is(err, datakit.NotExist), errors.Is(err, datakit.NotDir):
		return nil
	case err != nil:
		return err
	case e.Mode != datakit.Dir:
		return takeFile(ctx, tx, from, path, e)
	}
	return files(ctx, from, path, func(path datakit.Path, e datakit.Entry) error { return takeFile(ctx, tx, from, path, e) })
}

// discard removes what is at path, if there is anything.
func discard(ctx context.Context, tx *datakit.Tx, path datakit.Path) error {
	if err := tx.Remove(ctx, path); err != nil && !errors.Is(err, datakit.NotExist) {
		return err
	}
	return nil
}

func takeFile(ctx context.Context, tx *datakit.Tx, from *datakit.Tree, path datakit.Path, e datakit.Entry) error {
	if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
		return err
	}
	if e.Mode == datakit.Symlink {
		to, err := from.Readlink(ctx, path)
		if err != nil {
			return err
		}
		return tx.Symlink(ctx, path, to)
	}
	b, err := from.Open(ctx, path)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := tx.Create(ctx, path, e.Mode, nil); err != nil {
		return err
	}
	_, err = tx.ReadFrom(ctx, path, datakit.NewReader(ctx, b))
	return err
}
