package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// An env is what the benchmarks of one run share.
type env struct {
	ctx     context.Context
	size    size
	dir     string // for this run only
	cache   string // kept for the next run
	cleanup []func()

	datakit func() (string, error) // builds our command once
	p9ufs   func() (string, error) // builds p9ufs once

	loopback func() (string, error) // builds go-fuse's example once
}

// newEnv makes directories below dir, which is created if missing.
func newEnv(ctx context.Context, dir string, size size) (*env, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	e := &env{ctx: ctx, size: size, cache: filepath.Join(dir, "cache")}
	if err := os.MkdirAll(e.cache, 0o777); err != nil {
		return nil, err
	}
	// Nothing here belongs into a repository around it.
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o666); err != nil {
		return nil, err
	}
	if e.dir, err = os.MkdirTemp(dir, "run-"); err != nil {
		return nil, err
	}
	if inMemory(e.dir) {
		e.logf("warning: %s is kept in memory and does not sync; use -dir", dir)
	}
	e.datakit = e.builder("datakit", "github.com/datakit/datakit/cmd/datakit")
	e.p9ufs = e.builder("p9ufs", "github.com/hugelgupf/p9/cmd/p9ufs")
	e.loopback = e.builder("loopback", "github.com/hanwen/go-fuse/v2/example/loopback")
	return e, nil
}

// close removes what belongs to this run.
func (e *env) close() {
	for _, f := range e.cleanup {
		f()
	}
	os.RemoveAll(e.dir)
}

// caption says where and when the figures are measured. What else the machine
// is doing counts: a load as high as its processors distorts them.
func (e *env) caption() string {
	s := fmt.Sprintf("%s, %s/%s, %d processors, medians of %d rounds", time.Now().Format(time.DateTime),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), e.size.rounds)
	if l := load(); l > 0 {
		s += fmt.Sprintf(", load %.1f at the start", l)
	}
	return s
}

// logf tells about progress, on standard error.
func (e *env) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

// temp returns a new directory of this run.
func (e *env) temp(name string) (string, error) {
	return os.MkdirTemp(e.dir, name+"-")
}

// builder returns a function that builds a command the first time it is called.
func (e *env) builder(name, pkg string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(e.dir, name)
		out, err := exec.CommandContext(e.ctx, "go", "build", "-o", path, pkg).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build %s: %w: %s", name, err, out)
		}
		return path, nil
	})
}

// git runs a git command in dir and returns its output.
func (e *env) git(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(e.ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), gitEnv...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, exit.Stderr)
	}
	return string(out), err
}

// gitEnv gives git a user, and keeps the settings of the machine away.
var gitEnv = []string{
	"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.com",
	"GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.com",
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
}
