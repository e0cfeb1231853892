package hook

import (
	"encoding/json"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/internal/npmfile"
)

// examples returns GitHub's published examples of deliveries, by event.
func examples(t *testing.T) map[string][]json.RawMessage {
	t.Helper()
	var list []struct {
		Name     string
		Examples []json.RawMessage
	}
	text := npmfile.Read(t, "@octokit/webhooks-examples", "7.6.1", "api.github.com/index.json")
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]json.RawMessage)
	for _, e := range list {
		all[e.Name] = e.Examples
	}
	if len(all) < 50 {
		t.Fatalf("there are examples of %d events only", len(all))
	}
	return all
}

// exampleRepo is the repository that the examples are about.
var exampleRepo = github.Repo{User: "Codertocat", Name: "Hello-World"}

const exampleHash = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"

// exampleChecks say whether the event of an example is what it should be.
var exampleChecks = map[string]func(github.Event) bool{
	"push": func(ev github.Event) bool {
		switch ev := ev.(type) {
		case github.RefEvent:
			return ev.Created && ev.Ref.Commit.Hash == exampleHash && ev.Before == "" &&
				(ev.Ref.Name == "heads/master" || ev.Ref.Name == "tags/simple-tag")
		case github.RefRemoved:
			return ev.Ref.Name == "tags/simple-tag" && ev.Before == exampleHash
		}
		return false
	},
	"pull_request": func(ev github.Event) bool {
		pr, ok := ev.(github.PREvent)
		return ok && pr.Unread == github.Comments && pr.PR.Number == 2 && pr.PR.Owner == "Codertocat" && pr.PR.Base == "master" &&
			pr.PR.Head.Hash == "ec26c3e57ca3a959ca5aad62de7213c562f8c821" && pr.PR.Title != "" &&
			len(pr.PR.Comments) == 1 && pr.PR.Comments[0].Author == "Codertocat" && pr.PR.Updated.Year() == 2019
	},
	"status": func(ev github.Event) bool {
		s, ok := ev.(github.StatusEvent)
		return ok && s.Status == github.Status{Commit: github.Commit{Repo: exampleRepo, Hash: exampleHash},
			Context: github.DefaultContext, State: github.Success, Serial: 6805126730}
	},
	"issue_comment": func(ev github.Event) bool { return ev == github.OtherEvent{Repo: exampleRepo, Label: "issue_comment"} },
	"ping":          func(ev github.Event) bool { return ev == nil },
}

func TestGH171_PublishedExamples(t *testing.T) {
	t.Parallel()
	for name, bodies := range examples(t) {
		check := exampleChecks[name]
		if check == nil {
			check = func(ev github.Event) bool { return ev == github.OtherEvent{Repo: exampleRepo, Label: name} }
		}
		for i, body := range bodies {
			if ev, err := Parse(exampleRepo, name, body); err != nil || !check(ev) {
				t.Errorf("example %d of %s: Parse = %#v, %v", i, name, ev, err)
			}
		}
	}
}
