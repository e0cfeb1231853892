package kill

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/datakit/datakit/tests/daemon"
)

// escape is how a branch is called in the tree.
func escape(branch string) string { return strings.ReplaceAll(branch, "/", "%2F") }

func gitCommand(ctx context.Context, repo string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "git", append([]string{"--git-dir", filepath.Join(repo, ".git")}, args...)...)
}

// git runs a git command that must succeed.
func (w *world) git(args ...string) (string, error) {
	out, err := gitCommand(context.Background(), w.repo, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// check fails unless the repository is sound and has all that was promised.
// It reads all contents only if full is set.
func (w *world) check(full bool) error {
	args := []string{"fsck", "--strict", "--no-dangling", "--connectivity-only"}
	if full {
		args = args[:len(args)-1]
	}
	if out, err := w.git(args...); err != nil || out != "" {
		return fmt.Errorf("fsck: %s %w", out, err)
	}
	for branch := range w.files {
		if err := w.checkFiles(branch); err != nil {
			return err
		}
		if err := w.checkHeads(branch); err != nil {
			return err
		}
	}
	return nil
}

// checkFiles fails if a file that was committed is not in the head.
func (w *world) checkFiles(branch string) error {
	out, err := w.git("ls-tree", "--name-only", branch)
	if err != nil {
		return err
	}
	return missing(w.files[branch], out, "file in "+branch)
}

// checkHeads fails if a head that was seen is not in the history.
func (w *world) checkHeads(branch string) error {
	out, err := w.git("rev-list", branch)
	if err != nil {
		return err
	}
	return missing(w.heads[branch], out, "head of "+branch)
}

// missing fails if one of the wanted is not among the lines of have.
func missing(wanted []string, have, what string) error {
	found := make(map[string]bool)
	for line := range strings.SplitSeq(have, "\n") {
		found[line] = true
	}
	for _, want := range wanted {
		if !found[strings.TrimSpace(want)] {
			return fmt.Errorf("lost %s: %s", what, want)
		}
	}
	return nil
}

// ours matches what may be in a repository that nobody is using. The lock of
// those who merge packs is a file that stays; what counts is who has it.
var ours = regexp.MustCompile(`^(datakit/merge\.lock|HEAD|config|description|packed-refs|(hooks|info|refs|logs|branches)/.*|` +
	`objects/[0-9a-f]{2}/[0-9a-f]{38}|objects/info/.*|` +
	`objects/pack/(pack-[0-9a-f]{40}\.(pack|idx|rev|bitmap|mtimes)|multi-pack-index))$`)

// finish starts and stops a server once more, in peace, and fails unless
// nothing is left of all that were killed.
func (w *world) finish() error {
	d, err := daemon.Launch(w.repo, w.addr)
	if err != nil {
		return err
	}
	if err := d.Stop(); err != nil {
		return err
	}
	if err := w.check(true); err != nil {
		return err
	}
	dir := filepath.Join(w.repo, ".git")
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if rel = filepath.ToSlash(rel); err == nil && (!ours.MatchString(rel) || strings.HasPrefix(rel, "refs/") && strings.HasSuffix(rel, ".lock")) {
			return fmt.Errorf("left over: %s", rel)
		}
		return err
	})
}
