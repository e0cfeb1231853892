package bridge

import (
	"fmt"
	"strings"
	"testing"
)

func TestGH190_DryRun(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	src := e.source()
	e.can("*:x")
	e.changeAll()
	e.world.AddComment(p1.ID(), "joe", "hello")
	e.calls()
	head := e.head()
	plan, err := DryRun(t.Context(), e.opts)
	if err != nil {
		t.Fatal(err)
	}
	e.wantCalls(firstCalls + "2")
	var writes []string
	for _, w := range plan.Writes {
		writes = append(writes, fmt.Sprintf("%T %s", w, w.Subject()))
	}
	want := []string{
		"bridge.SetPR {test/test 2}",
		"bridge.RemoveRef {test/test heads/master}",
		"bridge.SetRef {test/test heads/new[foo]}",
		"bridge.SetStatus {test/test foo:foo/bar/baz[failure] url=titi descr=foo}",
	}
	if got := strings.Join(writes, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("writes:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	if set := plan.Writes[2].(SetRef); !set.Create || !set.Force {
		t.Errorf("%+v", set)
	}
	if want := "1 item updated\n\n{test/test 1[foo] master sam open \"\"}"; !strings.HasPrefix(plan.Message, want) {
		t.Errorf("message %q, want %q", plan.Message, want)
	}
	if e.head() != head || len(src.Watched()) != 0 {
		t.Error("the dry run has changed something")
	}
}

func TestGH190_DryRunMakesNoBranch(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	plan, err := DryRun(t.Context(), e.opts)
	if err != nil || len(plan.Writes) > 0 || plan.Message != "" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if h := e.head(); !h.IsZero() {
		t.Errorf("there is a head: %v", h)
	}
}
