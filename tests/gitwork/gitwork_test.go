package gitwork

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/tests/daemon"
)

// TestFS2_HousekeepingUnderLoad has git collect garbage and pack objects and
// references while clients commit.
func TestFS2_HousekeepingUnderLoad(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "busy", "busy", "quiet")
	for range 4 {
		for _, args := range [][]string{{"pack-refs", "--all"}, {"repack", "-adq"}, {"gc", "-q"}, {"repack", "-dq"}, {"prune", "--expire=2.weeks.ago"}} {
			repo.git(t, args...)
		}
	}
	l.end(t)
	l.check(t, repo)
	checkSound(t, repo)
	s := dial(t, d)
	for _, branch := range []string{"busy", "quiet", "main"} {
		head, err := s.Read("branch/" + branch + "/head")
		if want := repo.git(t, "rev-parse", branch) + "\n"; err != nil || head != want {
			t.Errorf("head of %s = %q, %v, want %q", branch, head, err, want)
		}
	}
}

// TestFS3_FS10_CommitsFromAWorkTree commits with git in the work tree while
// clients commit to another branch. A watcher is told of each, and nothing
// touches the work tree.
func TestFS3_FS10_CommitsFromAWorkTree(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "busy", "busy")
	w := watch(t, d, "main")
	w.expect(t, repo.git(t, "rev-parse", "HEAD"))
	for i := range 8 {
		w.expect(t, repo.commit(t, fmt.Sprint("file", i), "text\n"))
	}
	l.end(t)
	l.check(t, repo)
	t.Logf("the slowest was seen after %v", w.slowest)
	if out := repo.git(t, "status", "--porcelain"); out != "" {
		t.Errorf("the work tree has changed: %s", out)
	}
	checkSound(t, repo)
}

// TestFS7_FS32_PushesFromAClone pushes to the branch to which clients commit,
// as two people would: by pulling again when the other was faster.
func TestFS7_FS32_PushesFromAClone(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "shared", "shared")
	c := clone(t.TempDir())
	c.git(t, "clone", "-q", "-b", "shared", "file://"+string(repo), ".")
	var pushed []string
	for i := range 6 {
		file := fmt.Sprint("pushed", i)
		c.commit(t, file, "text\n")
		push(t, c, l)
		pushed = append(pushed, file)
	}
	l.end(t)
	l.check(t, repo)
	checkHas(t, repo, "shared", pushed)
	checkSound(t, repo)
}

// push pushes the clone's branch. The clients are many times faster than git:
// when it lost a number of races they rest for the length of one.
func push(t *testing.T, c clone, l *load) {
	t.Helper()
	var err error
	for try := range 50 {
		if try >= 5 {
			l.mu.Lock() // holds each client up after its present commit
		}
		c.git(t, "pull", "-q", "--no-rebase", "--no-edit")
		_, err = c.try("push", "-q", "origin", "HEAD")
		if try >= 5 {
			l.mu.Unlock()
		}
		if err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestFS10_RebaseInTheWorkTree rebases a branch in the served repository, which
// takes git several steps, while clients commit to others.
func TestFS10_RebaseInTheWorkTree(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "busy", "quiet")
	w := watch(t, d, "topic")
	w.expect(t, "")
	repo.git(t, "checkout", "-q", "-b", "topic")
	w.expect(t, repo.git(t, "rev-parse", "HEAD"))
	for i := range 3 {
		w.expect(t, repo.commit(t, fmt.Sprint("topic", i), "text\n"))
	}
	repo.git(t, "checkout", "-q", "main")
	repo.commit(t, "upstream", "text\n")
	repo.git(t, "rebase", "-q", "main", "topic")
	w.expect(t, repo.git(t, "rev-parse", "topic"))
	l.end(t)
	l.check(t, repo)
	checkHas(t, repo, "topic", []string{"topic0", "topic1", "topic2", "upstream"})
	if out := repo.git(t, "status", "--porcelain"); out != "" {
		t.Errorf("the work tree has changed: %s", out)
	}
	checkSound(t, repo)
}

// TestFS10_RebasePushedWithForce rewrites a branch under a client that has a
// transaction on it. The client's commit is merged with the new history.
func TestFS10_RebasePushedWithForce(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	repo.git(t, "branch", "topic")
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "busy")
	s, w := dial(t, d), watch(t, d, "topic")
	w.expect(t, repo.git(t, "rev-parse", "topic"))
	c := clone(t.TempDir())
	c.git(t, "clone", "-q", "-b", "topic", "file://"+string(repo), ".")
	for i := range 3 {
		mine := fmt.Sprint("mine", i)
		c.commit(t, fmt.Sprint("a", i), "text\n")
		c.git(t, "push", "-q", "origin", "HEAD")
		w.expect(t, c.git(t, "rev-parse", "HEAD"))
		tx := "branch/topic/transactions/t"
		must(t, s.Mkdir(tx))
		must(t, s.Create(tx+"/rw/"+mine, "text"))
		c.git(t, "commit", "-q", "--amend", "-m", fmt.Sprint("Amended ", i))
		c.git(t, "push", "-q", "--force", "origin", "HEAD")
		w.expect(t, c.git(t, "rev-parse", "HEAD"))
		must(t, s.Write(tx+"/ctl", "commit"))
		checkHas(t, repo, "topic", []string{mine, fmt.Sprint("a", i)})
		w.expect(t, repo.git(t, "rev-parse", "topic"))
		c.git(t, "pull", "-q", "--no-rebase", "--no-edit")
	}
	l.end(t)
	l.check(t, repo)
	checkSound(t, repo)
}

// TestFS31_BranchesComeAndGo makes and deletes branches on both sides.
func TestFS31_BranchesComeAndGo(t *testing.T) {
	t.Parallel()
	repo := newRepository(t)
	d := daemon.Start(t, string(repo))
	l := startLoad(t, d, "busy")
	s := dial(t, d)
	for i := range 4 {
		name := fmt.Sprint("git", i)
		w := watch(t, d, name)
		w.expect(t, "")
		repo.git(t, "branch", name, "main")
		w.expect(t, repo.git(t, "rev-parse", "main"))
		if i%2 == 1 {
			repo.git(t, "pack-refs", "--all")
		}
		repo.git(t, "branch", "-q", "-D", name)
		w.expect(t, "")

		name = fmt.Sprint("ours", i)
		must(t, s.Mkdir("branch/"+name))
		must(t, s.Commit(name, "t", "First", map[string]string{"file": "text"}))
		repo.git(t, "rev-parse", "--verify", "refs/heads/"+name)
		must(t, s.Remove("branch/"+name))
		if out, err := repo.try("rev-parse", "--verify", "-q", "refs/heads/"+name); err == nil {
			t.Errorf("%s is still there: %s", name, out)
		}
	}
	l.end(t)
	l.check(t, repo)
	checkSound(t, repo)
}

// A watcher follows the head of a branch.
type watcher struct {
	lines   chan string
	slowest time.Duration
}

// watch follows a branch until the test ends.
func watch(t *testing.T, d *daemon.Daemon, branch string) *watcher {
	t.Helper()
	s := dial(t, d)
	must(t, s.Mkdir("branch/"+branch))
	next, err := s.Stream("branch/" + branch + "/head.live")
	must(t, err)
	w := &watcher{lines: make(chan string, 1000)}
	go func() { // ends with the connection, which dial closes
		defer close(w.lines)
		for {
			line, err := next()
			if err != nil {
				return
			}
			w.lines <- line
		}
	}()
	t.Cleanup(func() {
		s.Close()
		for range w.lines {
		}
	})
	return w
}

// expect waits for a head. The specification allows two seconds; a machine
// that is busy with other tests gets more, and how long it took is kept.
func (w *watcher) expect(t *testing.T, head string) {
	t.Helper()
	start := time.Now()
	deadline := time.After(20 * time.Second)
	var seen []string
	for {
		select {
		case line := <-w.lines:
			if seen = append(seen, line); line == head {
				w.slowest = max(w.slowest, time.Since(start))
				return
			}
		case <-deadline:
			t.Fatalf("head %q did not arrive, but %s", head, strings.Join(seen, ", "))
		}
	}
}

// dial connects for the length of the test.
func dial(t *testing.T, d *daemon.Daemon) *daemon.Session {
	t.Helper()
	s, err := daemon.Dial(d.Addr)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
