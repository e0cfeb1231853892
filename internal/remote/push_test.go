package remote

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
)

func TestFS190_FS192_Push(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			full, empty := newRemoteRepo(t)
			l := newLocal(t)
			address := tr.address(t, empty)
			old := l.mustFetch(t, full, "old", git(t, full, "rev-parse", "old"))
			head := l.mustFetch(t, full, "master", git(t, full, "rev-parse", "master"))

			l.setBranch(t, "master", old)
			l.mustPush(t, address, "master", "not-here-nor-there")
			l.setBranch(t, "master", head)
			l.setBranch(t, "a/b", old) // without any new object
			l.mustPush(t, address, "master", "a/b")
			if got := git(t, empty, "rev-parse", "master", "a/b"); got != head.String()+"\n"+old.String() {
				t.Errorf("the branches are %s, want %s and %s", got, head, old)
			}

			l.setBranch(t, "master", old) // no fast-forward
			l.setBranch(t, "a/b", datakit.Hash{})
			l.mustPush(t, address, "a/b")
			l.mustPush(t, address, "master", "a/b")
			if got := git(t, empty, "for-each-ref", "--format=%(refname) %(objectname)"); got != "refs/heads/master "+old.String() {
				t.Errorf("the branches are %q, want master at %s", got, old)
			}
			git(t, empty, "fsck", "--strict")
		})
	}
}

func TestFS193_RefusedBranches(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			full, empty := newRemoteRepo(t)
			hook := "#!/bin/sh\ncase $1 in refs/heads/bad*) echo no way >&2; exit 1;; esac\n"
			if err := os.WriteFile(filepath.Join(empty, "hooks", "update"), []byte(hook), 0o755); err != nil {
				t.Fatal(err)
			}
			l := newLocal(t)
			head := l.mustFetch(t, full, "master", git(t, full, "rev-parse", "master"))
			for _, b := range []string{"bad1", "bad2", "good"} {
				l.setBranch(t, b, head)
			}
			refused, err := l.Push(t.Context(), tr.address(t, empty), []string{"bad1", "bad2", "good"})
			if got := slices.Sorted(maps.Keys(refused)); err != nil || !slices.Equal(got, []string{"bad1", "bad2"}) {
				t.Fatalf("refused %v, %v, want bad1 and bad2", refused, err)
			}
			if got := refused["bad1"].Error(); !strings.Contains(got, "hook declined") {
				t.Errorf("bad1 was refused because of %q, want the hook", got)
			}
			if got := git(t, empty, "rev-parse", "good"); got != head.String() {
				t.Errorf("good is at %s, want %s", got, head)
			}
		})
	}
}

func TestPushErrors(t *testing.T) {
	full, _ := newRemoteRepo(t)
	l := newLocal(t)
	l.setBranch(t, "b", l.mustFetch(t, full, "master", git(t, full, "rev-parse", "master")))
	fakeSSH(t)
	for address, want := range map[string]string{
		full + "/missing":              "not appear to be a git repository",
		"git://127.0.0.1:1/x":          "refused",
		"http://127.0.0.1:1/x":         "refused",
		"ftp://127.0.0.1/x":            "unsupported",
		"ssh://-oProxyCommand=x/y":     "strange host",
		"ssh://-l@h/y":                 "strange host",
		"someone@example.invalid:none": "not appear to be a git repository",
		"":                             "not appear to be a git repository",
	} {
		if _, err := l.Push(t.Context(), address, []string{"b"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Push(%q) = %v, want an error with %q", address, err, want)
		} else if strings.Contains(err.Error(), "empty input") {
			t.Errorf("Push(%q) = %v, which begins with what git says only by its silence", address, err)
		}
	}
}

// TestPushOfDamagedRepository has an object missing.
func TestPushOfDamagedRepository(t *testing.T) {
	_, empty := newRemoteRepo(t)
	l := newLocal(t)
	l.setBranch(t, "b", datakit.Hash{1})
	if _, err := l.Push(t.Context(), empty, []string{"b"}); !errors.Is(err, datakit.NotExist) {
		t.Errorf("Push = %v, want NotExist", err)
	}
	if got := git(t, empty, "for-each-ref"); got != "" {
		t.Errorf("the remote has %s", got)
	}
}

func TestGITSSHCOMMAND(t *testing.T) {
	full, _ := newRemoteRepo(t)
	fakeSSH(t)
	program := os.Getenv("GIT_SSH")
	t.Setenv("GIT_SSH", "/nonexistent")
	t.Setenv("GIT_SSH_COMMAND", "X=1 '"+program+"'")
	newLocal(t).mustFetch(t, "someone@example.invalid:"+full, "master", git(t, full, "rev-parse", "master"))
}
