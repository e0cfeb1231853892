package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cached returns the path of a bare repository that build makes the first time
// and that is kept for later runs. Nobody must change it: see linked.
func (e *env) cached(name string, build func(dir string) error) (string, error) {
	path := filepath.Join(e.cache, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	e.logf("making %s, for this run and later ones", path)
	dir, err := e.temp("building")
	if err != nil {
		return "", err
	}
	if _, err := e.git(dir, "init", "-q", "--bare", "-b", "master", "."); err != nil {
		return "", err
	}
	if err := build(dir); err != nil {
		return "", err
	}
	return path, os.Rename(dir, path)
}

// linked returns a copy of a repository that can be changed. What is immutable
// in both, or replaced instead of changed, is shared.
func (e *env) linked(repo string) (string, error) {
	dir, err := e.temp("linked")
	if err != nil {
		return "", err
	}
	return dir, filepath.WalkDir(repo, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == repo {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, repo))
		if d.IsDir() {
			return os.Mkdir(to, 0o777)
		}
		return os.Link(path, to)
	})
}

// fastImport gives git what write writes as the input of git fast-import.
func (e *env) fastImport(dir string, write func(w *bufio.Writer)) error {
	in, out := io.Pipe()
	cmd := exec.CommandContext(e.ctx, "git", "fast-import", "--quiet")
	cmd.Dir = dir
	cmd.Stdin = in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	write(w)
	w.Flush() // fails if git does, which says why
	out.Close()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("git fast-import: %w: %s", err, stderr.String())
	}
	return nil
}

// importCommit begins a commit in the input of git fast-import.
func importCommit(w io.Writer, branch string, date int) {
	fmt.Fprintf(w, "commit refs/heads/%s\ncommitter b <b@example.com> %d +0000\ndata 2\nc\n", branch, 1_500_000_000+date)
}

// importFile adds a file to the commit.
func importFile(w io.Writer, path, content string) {
	fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", path, len(content), content)
}

// treePath returns the place of a file of a large tree.
func treePath(dir, file int) string { return fmt.Sprintf("d%04d/f%04d", dir, file) }

// largeRepo returns a repository with a tree of dirs times perDir files, and
// many branches in packed-refs. The head of that tree is branch master.
func (e *env) largeRepo(dirs, perDir, branches int) (string, error) {
	name := fmt.Sprintf("large-%d-%d-%d.git", dirs, perDir, branches)
	return e.cached(name, func(dir string) error {
		err := e.fastImport(dir, func(w *bufio.Writer) {
			importCommit(w, "master", 0)
			for d := range dirs {
				for f := range perDir {
					importFile(w, treePath(d, f), fmt.Sprintf("file %d of directory %d", f, d))
				}
			}
			for i := range 100 {
				importCommit(w, "master", i+1)
				importFile(w, treePath(i%dirs, 0), fmt.Sprintf("change %d", i))
			}
		})
		if err != nil {
			return err
		}
		return e.packBranches(dir, branches)
	})
}

// packBranches writes packed-refs with that many branches, which point to the
// commits of master, and master.
func (e *env) packBranches(dir string, branches int) error {
	out, err := e.git(dir, "rev-list", "master")
	if err != nil {
		return err
	}
	commits := strings.Fields(out)
	var b strings.Builder
	b.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range branches {
		fmt.Fprintf(&b, "%s refs/heads/branch-%06d\n", commits[i%len(commits)], i)
	}
	fmt.Fprintf(&b, "%s refs/heads/master\n", commits[0])
	if err := os.WriteFile(filepath.Join(dir, "packed-refs"), []byte(b.String()), 0o666); err != nil {
		return err
	}
	return os.Remove(filepath.Join(dir, "refs/heads/master"))
}

// deepRepo returns a repository whose branch master has depth commits on top
// of the one that branch side has one commit on top of.
func (e *env) deepRepo(depth int) (string, error) {
	return e.cached(fmt.Sprintf("deep-%d.git", depth), func(dir string) error {
		err := e.fastImport(dir, func(w *bufio.Writer) {
			importCommit(w, "master", 0)
			importFile(w, "file", "base")
			importCommit(w, "side", 1)
			fmt.Fprintln(w, "from refs/heads/master")
			importFile(w, "side", "side")
			for i := range depth {
				importCommit(w, "master", i+2)
				importFile(w, "file", fmt.Sprintf("version %d", i))
			}
		})
		if err != nil {
			return err
		}
		_, err = e.git(dir, "commit-graph", "write", "--reachable")
		return err
	})
}
