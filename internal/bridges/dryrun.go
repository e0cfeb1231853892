package bridges

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/memdb"
)

// dryRun prints what a sync would send to GitHub, and the message of the commit
// that it would make (GH-190). It only reads.
func (b *GitHub) dryRun(ctx context.Context, db *datakit.DB, gh *api.Client) error {
	missing, err := unmonitored(ctx, db.Branch(b.Database.Branch), b.Repositories)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		b.printCommit(monitorMessage)
		copied, err := copyBranch(ctx, db.Branch(b.Database.Branch))
		if err != nil {
			return err
		}
		defer copied.Close()
		db = copied
		if err := monitor(ctx, db.Branch(b.Database.Branch), missing, b.log(logs.Bridge)); err != nil {
			return err
		}
	}
	plan, err := bridge.DryRun(ctx, b.options(db, gh))
	if err != nil {
		return err
	}
	for _, w := range plan.Writes {
		if err := b.printWrite(w); err != nil {
			return err
		}
	}
	if plan.Message != "" {
		b.printCommit(plan.Message)
	}
	return nil
}

// printCommit prints the message of a commit that is not made.
func (b *GitHub) printCommit(message string) {
	fmt.Fprintf(b.Out, "commit to %s:\n", b.Database.Branch)
	for line := range strings.Lines(message) {
		fmt.Fprintln(b.Out, strings.TrimRight("    "+line, " \n"))
	}
}

// printWrite prints a request that is not sent: method, path and body.
func (b *GitHub) printWrite(w bridge.Write) error {
	var req api.Request
	switch w := w.(type) {
	case bridge.SetPR:
		req = api.SetPRRequest(w.ID, w.Change)
	case bridge.RemoveRef:
		if !sent(w.ID.Name) {
			return nil
		}
		req = api.RemoveRefRequest(w.ID)
	case bridge.SetRef:
		if !sent(w.Ref.Name) {
			return nil
		}
		req = api.MoveRefRequest(w.Ref, w.Force)
		if w.Create {
			req = api.CreateRefRequest(w.Ref)
		}
	case bridge.SetStatus:
		req = api.SetStatusRequest(w.Status)
	}
	fmt.Fprintf(b.Out, "%s /%s", req.Method, req.Path)
	if req.Body == nil {
		_, err := fmt.Fprintln(b.Out)
		return err
	}
	fmt.Fprint(b.Out, " ")
	e := json.NewEncoder(b.Out) // ends the line
	e.SetEscapeHTML(false)
	return e.Encode(req.Body)
}

// sent reports whether a reference is sent to GitHub at all (GH-163).
func sent(name github.RefName) bool {
	kind, _, _ := strings.Cut(string(name), "/")
	return kind == "heads" || kind == "tags"
}

// copyBranch returns a database in memory that has a branch as its head is now.
func copyBranch(ctx context.Context, from *datakit.Branch) (*datakit.DB, error) {
	tree, err := from.Tree(ctx)
	if err != nil {
		return nil, err
	}
	db := memdb.New(nil)
	err = db.Branch(from.Name()).Update(ctx, "copy", func(tx *datakit.Tx) error {
		return copyTree(ctx, tx, tree, datakit.Root)
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}

func copyTree(ctx context.Context, to *datakit.Tx, from *datakit.Tree, dir datakit.Path) error {
	entries, err := from.ReadDir(ctx, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := dir.Join(datakit.Path(e.Name))
		switch {
		case e.Mode == datakit.Dir:
			if err = to.MkdirAll(ctx, path); err == nil {
				err = copyTree(ctx, to, from, path)
			}
		case e.Mode == datakit.Symlink:
			var target string
			if target, err = from.Readlink(ctx, path); err == nil {
				err = to.Symlink(ctx, path, target)
			}
		case e.Mode.IsFile():
			var content []byte
			if content, err = from.ReadFile(ctx, path); err == nil {
				err = to.Create(ctx, path, e.Mode, content)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
