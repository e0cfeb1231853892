package bridge

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/datakit/datakit/github"
)

func TestGH153_ExcludedRepositories(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	c := github.Commit{Repo: otherRepo, Hash: "abc"}
	e.fill(r1, github.Ref{Commit: c, Name: "heads/master"})
	e.write("test/test/.monitor", "", "test/other/.monitor", "", "test/other/.dirty", "", "test/other/pr/1/head", "x")
	var log bytes.Buffer
	e.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
	e.can("*:rw,repo[test/test]:r")
	e.source(otherRepo).Queue(github.RepoEvent{Repo: otherRepo})
	for range 3 {
		e.sync()
	}
	e.wantCalls("create hook 1, " + firstCalls + "1")
	e.wantFiles("test/test/ref/heads/master/head", "bar\n", "test/other/ref/heads/master/head", "-",
		"test/other/.dirty", "", "test/other/.monitor", "", "test/other/pr/1/.error", "-")
	if n := strings.Count(log.String(), "excluded by the capabilities"); n != 1 {
		t.Errorf("the exclusion was logged %d times:\n%s", n, log.String())
	}
	e.can("*:rw")
	e.sync()
	e.wantCalls("create hook 1, " + firstCalls + "1")
	e.wantFiles("test/other/ref/heads/master/head", "abc\n")
	e.can("*:rw,repo[test/test]:r")
	e.sync()
	e.wantFiles("test/other/.monitor", "", "test/other/ref/heads/master/head", "abc\n")
}

func TestGH154_DenialsAreLogged(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.fill(r1, p1)
	e.write("test/test/.monitor", "")
	var log bytes.Buffer
	e.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
	e.can("*:r,pr:")
	e.sync()
	e.write("test/test/ref/heads/master/head", "foo\n")
	e.sync()
	for _, want := range []string{
		"level=INFO msg=\"denied by the capabilities\" resource=pr operation=read capabilities=*:r,pr:",
		"level=INFO msg=\"denied by the capabilities\" resource=ref operation=write capabilities=*:r,pr:",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}

// TestGH77_CapabilitiesMayGrow gives the bridge permission to read what it
// could not: nothing is removed because nothing was known of it.
func TestGH77_CapabilitiesMayGrow(t *testing.T) {
	t.Parallel()
	for _, caps := range []string{"*:w", "*:r,pr:", "*:r,ref:w", "*:r,commit:", "*:rw,status[foo]:", "*:rw,status:"} {
		e := prepared(t, caps)
		e.fill(p1, p4, r1, s1, s3)
		e.put(p1, r1, s1, github.Ref{Commit: foo, Name: "heads/stale"})
		e.sync()
		e.can("*:rw")
		e.sync()
		e.wantInSync("after "+caps, testRepo)
		e.wantRefs("heads/master=bar")
	}
}
