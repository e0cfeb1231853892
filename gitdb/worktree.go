package gitdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// A workTree is a work tree with its index, which git brings up to date. That
// is done in the background, one change at a time: git takes some 10 ms.
type workTree struct {
	path string // where the work tree is
	env  []string
	log  *slog.Logger

	mu      sync.Mutex // guards what follows
	next    *step      // to be made after the present one
	running bool
	work    sync.WaitGroup
}

// A step is a change of the branch that is checked out.
type step struct {
	branch   string
	old, new datakit.Hash
}

// newWorkTree returns the work tree at path, whose Git directory is to be found
// from there if gitDir is empty.
func newWorkTree(path, gitDir string, log *slog.Logger) *workTree {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "GIT_DIR" || name == "GIT_WORK_TREE" || name == "GIT_INDEX_FILE"
	})
	if gitDir != "" {
		env = append(env, "GIT_DIR="+gitDir, "GIT_WORK_TREE=.")
	}
	return &workTree{path: path, env: env, log: log}
}

// moved has the work tree follow a branch that has moved.
func (w *workTree) moved(u store.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &step{u.Branch, u.Old, u.New}
	if w.next != nil && w.next.branch == s.branch {
		s.old = w.next.old
	}
	w.next = s
	if !w.running {
		w.running = true
		w.work.Go(w.run)
	}
}

// wait waits until the work tree has followed.
func (w *workTree) wait() { w.work.Wait() }

func (w *workTree) run() {
	for {
		w.mu.Lock()
		s := w.next
		w.next = nil
		w.running = s != nil
		w.mu.Unlock()
		if s == nil {
			return
		}
		if err := w.follow(s); err != nil {
			w.log.Warn("the work tree is left as it is", "path", w.path, "branch", s.branch, "error", err)
		}
	}
}

var errOwnChanges = errors.New("it has changes of its own; commit them, or take the new state with git reset --hard")

// follow makes the change of a step in the index and the work tree, unless
// these have changes of their own or another branch is checked out.
func (w *workTree) follow(s *step) error {
	if bare, err := w.git("rev-parse", "--is-bare-repository"); err != nil || bare == "true" {
		return err
	}
	head, err := w.git("symbolic-ref", "-q", "HEAD")
	if err != nil || head != "refs/heads/"+s.branch {
		return nil // also if HEAD is a commit
	}
	from, to := treeish(s.old), treeish(s.new)
	_, err = w.git("update-index", "-q", "--refresh")
	if err == nil {
		_, err = w.git("diff-index", "--quiet", from, "--")
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return errOwnChanges
	} else if err != nil {
		return err
	}
	_, err = w.git("read-tree", "-m", "-u", from, to)
	return err
}

// treeish names a commit to git, or the empty tree where there is none.
func treeish(h datakit.Hash) string {
	if h.IsZero() {
		return datakit.EmptyTree.String()
	}
	return h.String()
}

// git runs git and returns what it prints.
func (w *workTree) git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = w.path, w.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// follow returns refs with a work tree that follows what is changed through
// them, and nothing else: what other programs do, like git reset --soft, they
// may not want to be followed.
func follow(refs store.Refs, w *workTree) store.Refs { return &followed{refs, w} }

type followed struct {
	store.Refs
	w *workTree
}

// Prepare implements store.Refs.
func (f *followed) Prepare(ctx context.Context, updates []store.Update) store.Prepared {
	return &followedUpdates{f.Refs.Prepare(ctx, updates), f.w, updates}
}

// Close implements store.Refs.
func (f *followed) Close() error {
	f.w.wait()
	return f.Refs.Close()
}

type followedUpdates struct {
	store.Prepared
	w       *workTree
	updates []store.Update
}

// Apply implements store.Prepared.
func (f *followedUpdates) Apply() []error {
	errs := f.Prepared.Apply()
	for i, u := range f.updates {
		if errs[i] == nil && u.Old != u.New && !u.New.IsZero() {
			f.w.moved(u)
		}
	}
	return errs
}
