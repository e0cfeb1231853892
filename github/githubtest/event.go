package githubtest

import "github.com/datakit/datakit/github"

// Event returns what a webhook tells of the change (GH-171): of a pull request
// no comments but its body, of a comment only which pull request to read. A
// status that the model cannot hold is an OtherEvent.
func (c Change) Event() github.Event {
	switch c.Kind {
	case "push":
		return c.push()
	case "pull_request":
		pr := copyPR(c.PR)
		pr.Comments = pr.Comments[:bodies(pr)]
		return github.PREvent{PR: pr, Unread: github.Comments}
	case "issue_comment":
		pr := github.PR{Head: github.Commit{Repo: c.Repo}, Number: c.PR.Number}
		return github.PREvent{PR: pr, Unread: github.All}
	case "status":
		ctx, err := github.ParseContext(c.Status.Context)
		state, err2 := github.ParseStatusState(c.Status.State)
		if err != nil || err2 != nil {
			break
		}
		commit := github.Commit{Repo: c.Repo, Hash: c.Hash}
		s := github.NewStatus(commit, ctx, state, c.Status.Description, c.Status.URL)
		s.Serial = c.Status.ID
		return github.StatusEvent{Status: s}
	}
	return github.OtherEvent{Repo: c.Repo, Label: c.Kind}
}

func (c Change) push() github.Event {
	name, err := github.ParseRefName(c.Ref)
	if err != nil {
		return github.OtherEvent{Repo: c.Repo, Label: c.Kind}
	}
	if c.After == "" {
		return github.RefRemoved{Ref: github.RefID{Repo: c.Repo, Name: name}, Before: c.Before}
	}
	ref := github.Ref{Commit: github.Commit{Repo: c.Repo, Hash: c.After}, Name: name}
	return github.RefEvent{Ref: ref, Created: c.Before == "", Before: c.Before}
}
