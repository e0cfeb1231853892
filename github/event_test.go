package github_test

import (
	"testing"

	"github.com/datakit/datakit/github"
)

func TestGH24_Events(t *testing.T) {
	t.Parallel()
	c, d := commit(alpha, "1"), commit(alpha, "2")
	pr := github.PR{Head: c, Number: 1, Comments: []github.Comment{{Author: "joe", Body: "body"}, {ID: 7, Author: "amy", Body: "hi"}}}
	ref := github.Ref{Commit: c, Name: "heads/m"}
	moved := github.Ref{Commit: d, Name: "heads/m"}
	ci := func(s github.StatusState) github.Status { return github.NewStatus(c, "ci", s, "", "") }
	edited := github.PR{Head: d, Number: 1, Comments: []github.Comment{{Author: "joe", Body: "new body"}}}
	merged := edited
	merged.Comments = []github.Comment{edited.Comments[0], pr.Comments[1]}
	for _, tt := range []struct {
		name   string
		events []github.Event
		want   []github.Element
	}{
		{"monitored", []github.Event{github.RepoEvent{Repo: beta, Monitored: true}}, []github.Element{pr, ref, beta}},
		{"ignored", []github.Event{github.RepoEvent{Repo: alpha}}, nil},
		{"PR", []github.Event{github.PREvent{PR: pr.Close()}}, []github.Element{pr.Close(), ref}},
		{"PR without comments", []github.Event{github.PREvent{PR: edited, Unread: github.Comments}}, []github.Element{merged, ref, d}},
		{"PR without anything", []github.Event{github.PREvent{PR: github.PR{Head: commit(alpha, ""), Number: 1}, Unread: github.All}}, []github.Element{pr, ref}},
		{"the last status wins", []github.Event{github.StatusEvent{Status: ci(github.Pending)}, github.StatusEvent{Status: ci(github.Success)}}, []github.Element{pr, ref, ci(github.Success)}},
		{"created", []github.Event{github.RefEvent{Ref: moved, Created: true}}, []github.Element{pr, moved}},
		{"updated", []github.Event{github.RefEvent{Ref: moved}}, []github.Element{pr, moved}},
		{"removed and made again", []github.Event{github.RefRemoved{Ref: ref.ID()}, github.RefEvent{Ref: moved, Created: true}}, []github.Element{pr, moved}},
		{"removed", []github.Event{github.RefRemoved{Ref: ref.ID()}}, []github.Element{pr}},
		{"other", []github.Event{github.OtherEvent{Repo: beta, Label: "star"}}, []github.Element{pr, ref}},
	} {
		got, want := github.NewSnapshot(pr, ref).ApplyEvents(tt.events...), github.NewSnapshot(tt.want...)
		if !got.Equal(want) {
			t.Errorf("%s: %s, want %s", tt.name, list(got), list(want))
		}
		for _, e := range tt.events {
			if r := e.Repository(); r != alpha && r != beta {
				t.Errorf("%v belongs to %v", e, r)
			}
		}
	}
}

func TestGH7_GH25_EventSigns(t *testing.T) {
	t.Parallel()
	ref := github.Ref{Commit: commit(alpha, "1"), Name: "heads/m"}
	for _, tt := range []struct {
		e    github.Event
		want string
	}{
		{github.RefEvent{Ref: ref, Created: true}, "+{a/x heads/m[1]}"},
		{github.RefEvent{Ref: ref}, "*{a/x heads/m[1]}"},
		{github.RefRemoved{Ref: ref.ID()}, "-{a/x heads/m}"},
		{github.RepoEvent{Repo: alpha, Monitored: true}, "+a/x"},
		{github.RepoEvent{Repo: alpha}, "-a/x"},
		{github.OtherEvent{Repo: alpha, Label: "a\nstar"}, "a/x: a star"},
		{github.PREvent{PR: github.PR{Head: ref.Commit, Number: 3}, Unread: github.All}, "{a/x 3}"},
		{github.PREvent{PR: github.PR{Head: ref.Commit, Number: 3, Base: "m", Owner: "joe"}}, `{a/x 3[1] m joe open ""}`},
		{github.StatusEvent{Status: github.NewStatus(ref.Commit, "ci", github.Failure, "", "")}, "{a/x 1:ci[failure]}"},
	} {
		if got := tt.e.String(); got != tt.want {
			t.Errorf("String() = %q, want %q", got, tt.want)
		}
	}
}

func TestGH27_TextForms(t *testing.T) {
	t.Parallel()
	c := commit(alpha, "1")
	pr := github.PR{Head: c, Number: 3, State: github.Closed, Title: "a \"b\" \\ \n", Base: "master", Owner: "joe",
		Comments: []github.Comment{{Author: "joe", Body: "not shown"}}}
	for _, tt := range []struct {
		v    interface{ String() string }
		want string
	}{
		{alpha, "a/x"},
		{c, "{a/x 1}"},
		{pr, `{a/x 3[1] master joe closed "a \"b\" \\ \n"}`},
		{github.NewStatus(c, "ci/x", github.Errored, "Some\ntext", "http://u"), "{a/x 1:ci/x[error] url=http://u descr=Some text}"},
		{github.NewStatus(c, "ci", github.Errored, "", ""), "{a/x 1:ci[error]}"},
		{github.Ref{Commit: c, Name: "heads/m"}, "{a/x heads/m[1]}"},
		{pr.ID(), "{a/x 3}"},
		{github.StatusID{Commit: c, Context: "ci/x"}, "{{a/x 1} ci/x}"},
		{github.RefID{Repo: alpha, Name: "heads/m"}, "{a/x heads/m}"},
	} {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("String() = %s, want %s", got, tt.want)
		}
	}
}
