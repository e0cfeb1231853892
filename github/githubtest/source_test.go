package githubtest_test

import (
	"slices"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

func TestSource(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	s := githubtest.NewSource(w)
	defer s.Close()
	w.PutRef(ref("heads/unseen", "foo"))
	if err := s.Watch(t.Context(), repo); err != nil || !slices.Equal(s.Watched(), []github.Repo{repo}) {
		t.Fatalf("Watch: %v, watched %v", err, s.Watched())
	}
	p := pr(1, "foo", "one")
	p.Comments = []github.Comment{{Author: "sam", Body: "body"}}
	w.PutPR(p)
	<-s.Wake()
	w.AddComment(p.ID(), "ana", "hi")
	w.EditPR(p.ID(), func(p *github.PR) { p.Title = "uno" })
	w.PutRef(ref("heads/a", "foo"))
	w.PutRef(ref("heads/a", "bar"))
	s.Lose(func(c githubtest.Change) bool { return c.Ref == "heads/unseen" })
	w.DropRef(repo, "heads/unseen")
	w.DropRef(repo, "heads/a")
	serial := w.AddStatus(status("bar", "ci/a", github.Success))
	w.AddRawStatus(commit("bar"), githubtest.RawStatus{State: "odd", Context: "x"})
	s.Queue(github.RepoEvent{Repo: repo, Monitored: true})

	events, done := s.Events()
	want := []string{
		`{test/test 1[foo] master sam open "one"}`, `{test/test 1}`, `{test/test 1[foo] master sam open "uno"}`,
		"+{test/test heads/a[foo]}", "*{test/test heads/a[bar]}", "-{test/test heads/a}",
		"{test/test bar:ci/a[success]}", "status", "+test/test",
	}
	for i, e := range events {
		if got := e.Event.String(); i >= len(want) || got != want[i] && want[i] != "status" || e.Event.Repository() != repo {
			t.Errorf("event %d is %s of %s", i, got, e.Event.Repository())
		}
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	edited := events[2].Event.(github.PREvent)
	if edited.Unread != github.Comments || len(edited.PR.Comments) != 1 || edited.PR.Updated.IsZero() {
		t.Errorf("the event of the edit is %+v, want the body alone", edited)
	}
	if e := events[4].Event.(github.RefEvent); e.Created || e.Before != "foo" {
		t.Errorf("the event of the move is %+v", e)
	}
	if e := events[6].Event.(github.StatusEvent); e.Status.Serial != serial {
		t.Errorf("the event of the status is %+v, want the serial %d", e, serial)
	}
	if again, _ := s.Events(); len(again) != len(events) {
		t.Errorf("%d events before they are done with", len(again))
	}
	w.PutRef(ref("heads/late", "foo"))
	done()
	done()
	if rest, _ := s.Events(); len(rest) != 1 || rest[0].Event.String() != "+{test/test heads/late[foo]}" {
		t.Errorf("after done: %v", rest)
	}
	if err := s.Unwatch(t.Context(), repo); err != nil || len(s.Watched()) != 0 {
		t.Errorf("Unwatch: %v, watched %v", err, s.Watched())
	}
}
