package kill

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit/tests/daemon"
)

// branches are what the clients commit to. The first has two, whose commits
// are merged.
var branches = []string{"master", "master", "own", "team/nested"}

// A world is a repository, and what was promised about it.
type world struct {
	repo, addr string

	mu    sync.Mutex          // guards what follows
	files map[string][]string // acknowledged files, by branch
	heads map[string][]string // heads seen after an acknowledgement, by branch
}

func newWorld(repo, addr string) *world {
	return &world{repo: repo, addr: addr, files: make(map[string][]string), heads: make(map[string][]string)}
}

// acks returns how many commits were acknowledged.
func (w *world) acks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, f := range w.files {
		n += len(f)
	}
	return n
}

// round starts a server, checks that every branch can be written, kills it
// the given time after that, and looks at what is left.
func (w *world) round(ctx context.Context, r int, moment time.Duration) error {
	d, err := daemon.Launch(w.repo, w.addr)
	if err != nil {
		return err
	}
	var killed atomic.Bool
	var ready, done sync.WaitGroup
	errs := make([]error, len(branches))
	for i, branch := range branches {
		ready.Add(1)
		done.Go(func() {
			once := sync.OnceFunc(ready.Done)
			defer once()
			err := w.commits(branch, fmt.Sprintf("r%d-c%d", r, i), once)
			if !killed.Load() {
				errs[i] = fmt.Errorf("client %d, before the kill: %w", i, err)
			}
		})
	}
	ready.Wait()
	stopGit := w.gitAtWork(ctx, r)
	time.Sleep(moment) // the moment is the input of this test, and decides nothing
	killed.Store(true)
	d.Kill()
	done.Wait()
	stopGit()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return w.check(r%10 == 9)
}

// gitAtWork starts git's own housekeeping in some rounds. The function
// returned waits for its end.
func (w *world) gitAtWork(ctx context.Context, r int) (wait func()) {
	var cmd *exec.Cmd
	switch r % 6 {
	case 3:
		cmd = gitCommand(ctx, w.repo, "repack", "-adq")
	case 5:
		cmd = gitCommand(ctx, w.repo, "pack-refs", "--all")
	default:
		return func() {}
	}
	if err := cmd.Start(); err != nil {
		return func() {}
	}
	return func() { cmd.Wait() }
}

// commits commits one file after the other until something fails, as it does
// when the server is killed. It calls ready after the first.
func (w *world) commits(branch, name string, ready func()) error {
	s, err := daemon.Dial(w.addr)
	if err != nil {
		return err
	}
	defer s.Close()
	dir := escape(branch)
	if err := s.Mkdir("branch/" + dir); err != nil {
		return err
	}
	for n := 0; ; n++ {
		file := fmt.Sprintf("%s-%d", name, n)
		content := map[string]string{file: "content of " + file}
		switch n % 4 {
		case 1:
			content["dir/"+file] = "more"
		case 3: // long enough to be killed in the middle of it
			content[file] = strings.Repeat(file, 40_000)
		}
		if err := s.Commit(dir, "t", "Add "+file, content); err != nil {
			return err
		}
		w.record(w.files, branch, file)
		ready()
		if n%4 == 0 {
			head, err := s.Read("branch/" + dir + "/head")
			if err != nil {
				return err
			}
			w.record(w.heads, branch, head)
		}
	}
}

// record notes something that must not be lost.
func (w *world) record(where map[string][]string, branch, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	where[branch] = append(where[branch], what)
}
