package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A plumber commits with Git's plumbing: five processes for each commit.
type plumber struct {
	e    *env
	dir  string
	head string
	n    int
}

func newPlumber(e *env) (*plumber, error) {
	dir, err := e.temp("plumbing")
	if err != nil {
		return nil, err
	}
	p := &plumber{e: e, dir: filepath.Join(dir, "repo.git")}
	_, err = e.git(dir, "init", "-q", "--bare", p.dir)
	return p, err
}

// rate returns how many commits a second are made in a turn.
func (p *plumber) rate() (float64, error) { return rate(p.e.size.turn, p.commit) }

// commit commits a file at depth 3, in the places that a txClient uses.
func (p *plumber) commit() error {
	path := fmt.Sprintf("c00-%02d/s%02d/file", p.n/64%64, p.n%64)
	p.n++
	blob, err := p.git(string(unique()), "hash-object", "-w", "--stdin")
	if err != nil {
		return err
	}
	if _, err := p.git("", "update-index", "--add", "--cacheinfo", "100644,"+blob+","+path); err != nil {
		return err
	}
	tree, err := p.git("", "write-tree")
	if err != nil {
		return err
	}
	args := []string{"commit-tree", "-m", "a message", tree}
	if p.head != "" {
		args = append(args, "-p", p.head)
	}
	commit, err := p.git("", args...)
	if err != nil {
		return err
	}
	_, err = p.git("", "update-ref", "refs/heads/master", commit)
	p.head = commit
	return err
}

func (p *plumber) git(input string, args ...string) (string, error) {
	cmd := exec.CommandContext(p.e.ctx, "git", args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), gitEnv...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
