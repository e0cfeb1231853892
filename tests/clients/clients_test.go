package clients

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"9fans.net/go/plan9"
	"9fans.net/go/plan9/client"

	"github.com/datakit/datakit/tests/daemon"
)

// TestFS2_FS134_Plan9Client explores and edits with 9fans.net/go, in 9P2000.
func TestFS2_FS134_Plan9Client(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	d := daemon.Start(t, string(h))
	fsys, err := client.Mount("unix", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	p := plan9Client{fsys}
	check(t, "branches", p.list(t, "branch"), "main release%2F1.0")
	check(t, "head", p.read(t, "branch/release%2F1.0/head"), h.git(t, "rev-parse", "release/1.0")+"\n")
	revisions := strings.Fields(h.git(t, "rev-list", "--first-parent", "-n", "300", "main"))
	for i, rev := range revisions {
		parent, _, _ := strings.Cut(p.read(t, "snapshots/"+rev+"/parents"), "\n")
		if i+1 < len(revisions) {
			check(t, "first parent of "+rev, parent, revisions[i+1])
		}
	}
	old := revisions[len(revisions)-1]
	file := strings.Fields(h.git(t, "ls-tree", "-r", "--name-only", old))[7]
	check(t, file, strings.TrimSpace(p.read(t, "snapshots/"+old+"/ro/"+file)), h.git(t, "show", old+":"+file))

	p.create(t, "branch/main/transactions/t", plan9.DMDIR|0o755, "")
	p.create(t, "branch/main/transactions/t/rw/dir0/new", 0o644, "by plan 9")
	p.write(t, "branch/main/transactions/t/msg", "Edited over 9P2000")
	p.write(t, "branch/main/transactions/t/ctl", "commit")
	expectEdit(t, h, "Edited over 9P2000", revisions[0])
	check(t, "new file", h.git(t, "show", "main:dir0/new"), "by plan 9")
}

// expectEdit checks that main has one new commit, and that git likes it.
func expectEdit(t *testing.T, h history, msg, parent string) {
	t.Helper()
	if log := h.git(t, "log", "-p", "-1", "main"); !strings.Contains(log, msg) {
		t.Errorf("git log -p shows no %q:\n%s", msg, log)
	}
	check(t, "parent", h.git(t, "rev-parse", "main^"), parent)
	check(t, "fsck", h.git(t, "fsck", "--strict", "--no-dangling"), "")
}

type plan9Client struct{ fsys *client.Fsys }

func (p plan9Client) read(t *testing.T, name string) string {
	t.Helper()
	f, err := p.fsys.Open(name, plan9.OREAD)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return string(b)
}

func (p plan9Client) list(t *testing.T, name string) string {
	t.Helper()
	f, err := p.fsys.Open(name, plan9.OREAD)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	defer f.Close()
	dirs, err := f.Dirreadall()
	if err != nil {
		t.Fatalf("list %s: %v", name, err)
	}
	var names []string
	for _, d := range dirs {
		names = append(names, d.Name)
	}
	return strings.Join(names, " ")
}

func (p plan9Client) write(t *testing.T, name, text string) {
	t.Helper()
	f, err := p.fsys.Open(name, plan9.OWRITE)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	defer f.Close()
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

func (p plan9Client) create(t *testing.T, name string, perm plan9.Perm, text string) {
	t.Helper()
	mode := uint8(plan9.ORDWR)
	if perm&plan9.DMDIR != 0 {
		mode = plan9.OREAD
	}
	f, err := p.fsys.Create(name, mode, perm)
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	defer f.Close()
	if text == "" {
		return
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

// TestFS2_FS172_LinuxClient explores and edits with hugelgupf/p9, in 9P2000.L.
func TestFS2_FS172_LinuxClient(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	d := daemon.Start(t, string(h))
	s, err := daemon.Dial(d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	head := h.git(t, "rev-parse", "main")
	for i, file := range strings.Fields(h.git(t, "ls-tree", "-r", "--name-only", "main")) {
		got, err := s.Read("branch/main/ro/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 { // git takes its time for each
			check(t, file, strings.TrimSpace(got), h.git(t, "show", "main:"+file))
		}
	}
	if err := s.Commit("main", "t", "Edited over 9P2000.L", map[string]string{"new": "by linux"}); err != nil {
		t.Fatal(err)
	}
	expectEdit(t, h, "Edited over 9P2000.L", head)
}

// TestFS139_DiodClients explores with the tools of Debian's package diod.
func TestFS139_DiodClients(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"diodcat", "diodls"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	h := newHistory(t)
	d := daemon.Start(t, string(h), daemon.WithTCP())
	diod := func(tool string, args ...string) string {
		t.Helper()
		cmd := exec.Command(tool, append([]string{"-s", fmt.Sprint("127.0.0.1:", d.Port), "-a", "/"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	root := strings.Join(strings.Fields(diod("diodls")), " ")
	check(t, "the root", root, "branch commits debug remotes snapshots trees")
	entries := strings.Fields(diod("diodls", "branch/main/ro"))
	check(t, "entries", strings.Join(entries, "\n"), h.git(t, "ls-tree", "--name-only", "main"))
	check(t, "head", diod("diodcat", "branch/main/head"), h.git(t, "rev-parse", "main")+"\n")
	check(t, "file", strings.TrimSpace(diod("diodcat", "branch/release%2F1.0/ro/dir3/3")), h.git(t, "show", "release/1.0:dir3/3"))
}
