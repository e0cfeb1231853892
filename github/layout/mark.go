package layout

import (
	"context"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// Stain asks the bridge to read repositories, PRs and refs again: it makes
// their .dirty files (GH-54, GH-55), with the directories needed. The error is
// Invalid for other kinds, before anything was done.
func Stain(ctx context.Context, tx *datakit.Tx, ids ...github.ID) error {
	if err := checkMarked(ids); err != nil {
		return err
	}
	w := newWriter(tx)
	for _, id := range ids {
		if err := w.put(ctx, Dir(id), dirtyFile, ""); err != nil {
			return err
		}
	}
	return nil
}

// Clean removes the .dirty files of repositories, PRs and refs. Missing ones
// are fine. The error is Invalid for other kinds, before anything was done.
func Clean(ctx context.Context, tx *datakit.Tx, ids ...github.ID) error {
	if err := checkMarked(ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := remove(ctx, tx, Dir(id)+"/"+dirtyFile); err != nil {
			return err
		}
	}
	return nil
}

// IsDirty reports whether a repository, PR or ref has a .dirty file.
func IsDirty(ctx context.Context, tree *datakit.Tree, id github.ID) (bool, error) {
	mode, err := tree.Mode(ctx, Dir(id)+"/"+dirtyFile)
	return mode.IsFile(), err
}

// checkMarked reports the first identity that cannot have a .dirty file.
func checkMarked(ids []github.ID) error {
	for _, id := range ids {
		switch id.(type) {
		case github.Repo, github.PRID, github.RefID:
		default:
			return noFile(dirtyFile, id, "only repositories, PRs and refs")
		}
	}
	return nil
}

func noFile(name string, id github.ID, which string) error {
	return &datakit.Error{Op: "mark", Subject: id.String(), Kind: datakit.Invalid, Err: fmt.Errorf("%s have a file %s", which, name)}
}

// SetError writes the .error file beside a repository, PR, ref or status: the
// text as one line (GH-56). It reports whether the file was written: it stays
// as it is if it says the same already. The error is Invalid for a commit.
func SetError(ctx context.Context, tx *datakit.Tx, id github.ID, text string) (written bool, err error) {
	if _, ok := id.(github.Commit); ok {
		return false, noFile(errorFile, id, "only repositories, PRs, refs and statuses")
	}
	line := strings.Join(strings.Fields(text), " ") + "\n"
	path := Dir(id) + "/" + errorFile
	mode, err := tx.Mode(ctx, path)
	if err != nil {
		return false, err
	}
	if mode.IsFile() {
		old, err := tx.ReadFile(ctx, path)
		if err != nil || string(old) == line {
			return false, err
		}
	}
	return true, newWriter(tx).put(ctx, Dir(id), errorFile, line)
}

// ClearError removes the .error file beside an element and reports whether
// there was one.
func ClearError(ctx context.Context, tx *datakit.Tx, id github.ID) (removed bool, err error) {
	path := Dir(id) + "/" + errorFile
	if there, err := tx.Exists(ctx, path); err != nil || !there {
		return false, err
	}
	return true, remove(ctx, tx, path)
}
