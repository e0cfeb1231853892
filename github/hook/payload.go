package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/datakit/datakit/github"
)

// Parse returns the event that a delivery of repository r means: name is its
// X-GitHub-Event, and body the JSON (GH-171). A ping is no event: it returns
// nil.
//
// What the model cannot hold, such as a status with an unknown state, is an
// OtherEvent whose label says why. So is a delivery about another repository,
// which r was renamed to. The error says what is wrong with a body that is no
// JSON, or not of GitHub's making.
func Parse(r github.Repo, name string, body []byte) (github.Event, error) {
	if !json.Valid(body) {
		return nil, errors.New("no JSON")
	}
	parse, known := parsers[name]
	switch {
	case name == "ping":
		return nil, nil
	case !known:
		return other(r, label(name)), nil
	}
	var about struct {
		Repository struct {
			FullName string `json:"full_name"`
		} `json:"repository"`
	}
	if err := decode(body, &about); err != nil {
		return nil, fmt.Errorf("%s event: %w", name, err)
	}
	if now := about.Repository.FullName; now != "" && !strings.EqualFold(now, r.String()) {
		return other(r, fmt.Sprintf("%s of %q: %s has been renamed to that, monitor it under this name", name, now, r)), nil
	}
	ev, err := parse(r, body)
	var not *unfit
	if errors.As(err, &not) {
		return other(r, name+" left out: "+not.Error()), nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s event: %w", name, err)
	}
	return ev, nil
}

// parsers are the events that are more than a name.
var parsers = map[string]func(github.Repo, []byte) (github.Event, error){
	"push":          parsePush,
	"pull_request":  parsePR,
	"status":        parseStatus,
	"issue_comment": parseComment,
}

// An unfit value is right, but nothing that the model can hold.
type unfit struct{ error }

func (u *unfit) Unwrap() error { return u.error }

func other(r github.Repo, label string) github.Event {
	return github.OtherEvent{Repo: r, Label: label}
}

// label returns the name of an event as it is, unless it is no plain word: it
// comes from a header, which is not signed.
func label(name string) string {
	plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	if name == "" || !plain || len(name) > 64 {
		return fmt.Sprintf("%.64q", name)
	}
	return name
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("not as GitHub writes it: %w", err)
	}
	return nil
}

// noHash is how GitHub writes that a ref had, or has, no commit.
const noHash = "0000000000000000000000000000000000000000"

func parsePush(r github.Repo, body []byte) (github.Event, error) {
	var p struct {
		Ref        string `json:"ref"`
		Before     string `json:"before"`
		Created    bool   `json:"created"`
		Deleted    bool   `json:"deleted"`
		HeadCommit *struct {
			ID string `json:"id"`
		} `json:"head_commit"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(p.Ref, "refs/")
	if !ok {
		return nil, fmt.Errorf("ref %q does not begin with refs/", p.Ref)
	}
	name, err := github.ParseRefName(text)
	if err != nil {
		return nil, &unfit{err}
	}
	if !strings.HasPrefix(text, "heads/") && !strings.HasPrefix(text, "tags/") { // GH-23
		return nil, &unfit{fmt.Errorf("ref %q is neither a branch nor a tag", p.Ref)}
	}
	before := p.Before
	if before == noHash {
		before = ""
	}
	if p.Deleted || p.HeadCommit == nil {
		return github.RefRemoved{Ref: github.RefID{Repo: r, Name: name}, Before: before}, nil
	}
	c, err := github.NewCommit(r, p.HeadCommit.ID)
	if err != nil {
		return nil, err
	}
	return github.RefEvent{Ref: github.Ref{Commit: c, Name: name}, Created: p.Created, Before: before}, nil
}

func parsePR(r github.Repo, body []byte) (github.Event, error) {
	var p struct {
		PR *struct {
			Number int    `json:"number"`
			State  string `json:"state"`
			Title  string `json:"title"`
			Body   string `json:"body"` // null is none
			Head   struct {
				SHA string `json:"sha"`
			} `json:"head"`
			Base struct {
				Ref string `json:"ref"`
			} `json:"base"`
			User *struct {
				Login string `json:"login"`
			} `json:"user"`
			Updated time.Time `json:"updated_at"`
		} `json:"pull_request"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if p.PR == nil || p.PR.Number < 0 {
		return nil, errors.New("no pull request with a number")
	}
	head, err := github.NewCommit(r, p.PR.Head.SHA)
	if err != nil {
		return nil, err
	}
	state, err := github.ParsePRState(p.PR.State)
	if err != nil {
		return nil, err
	}
	owner := github.Ghost
	if p.PR.User != nil {
		if owner, err = github.ParseLogin(p.PR.User.Login); err != nil {
			return nil, &unfit{err}
		}
	}
	return github.PREvent{Unread: github.Comments, PR: github.PR{
		Head:     head,
		Number:   p.PR.Number,
		State:    state,
		Title:    github.Trim(p.PR.Title),
		Base:     github.Trim(p.PR.Base.Ref),
		Owner:    owner,
		Comments: []github.Comment{{Author: owner, Body: p.PR.Body}},
		Updated:  p.PR.Updated,
	}}, nil
}

func parseStatus(r github.Repo, body []byte) (github.Event, error) {
	var p struct {
		ID          int64  `json:"id"`
		SHA         string `json:"sha"`
		Context     string `json:"context"`
		State       string `json:"state"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	c, err := github.NewCommit(r, p.SHA)
	if err != nil {
		return nil, err
	}
	state, err := github.ParseStatusState(p.State)
	if err != nil { // GH-19
		return nil, &unfit{err}
	}
	ctx, err := github.ParseContext(p.Context)
	if err != nil { // GH-15
		return nil, &unfit{err}
	}
	s := github.NewStatus(c, ctx, state, p.Description, p.TargetURL)
	s.Serial = p.ID
	return github.StatusEvent{Status: s}, nil
}

func parseComment(r github.Repo, body []byte) (github.Event, error) {
	var p struct {
		Issue *struct {
			Number int              `json:"number"`
			PR     *json.RawMessage `json:"pull_request"` // only a pull request has it
		} `json:"issue"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if p.Issue == nil || p.Issue.Number < 0 {
		return nil, errors.New("no issue with a number")
	}
	if p.Issue.PR == nil {
		return other(r, "issue_comment"), nil
	}
	return github.PREvent{
		Unread: github.All,
		PR:     github.PR{Head: github.Commit{Repo: r}, Number: p.Issue.Number},
	}, nil
}
