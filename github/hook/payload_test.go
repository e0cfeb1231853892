package hook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datakit/datakit/github"
)

var testRepo = github.Repo{User: "test", Name: "test"}

const (
	zeros   = "0000000000000000000000000000000000000000"
	hash1   = "1111111111111111111111111111111111111111"
	hash2   = "2222222222222222222222222222222222222222"
	tagHash = "3333333333333333333333333333333333333333"
)

// prBody is a pull request as the webhook has it.
const prBody = `{"action":"edited","number":2,"repository":{"full_name":"test/test"},"pull_request":{
	"number":2,"state":"open","title":" Fix it ","body":"Please.\n ","user":{"login":"dependabot[bot]"},
	"head":{"sha":"` + hash1 + `","repo":{"full_name":"fork/test"}},"base":{"ref":"main"},"updated_at":"2024-05-06T07:08:09Z"}}`

func testPR() github.PR {
	return github.PR{
		Head: github.Commit{Repo: testRepo, Hash: hash1}, Number: 2, Title: "Fix it", Base: "main",
		Owner: "dependabot[bot]", Comments: []github.Comment{{Author: "dependabot[bot]", Body: "Please.\n "}},
		Updated: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
	}
}

func ref(name github.RefName, hash string) github.Ref {
	return github.Ref{Commit: github.Commit{Repo: testRepo, Hash: hash}, Name: name}
}

func push(ref, before, rest string) string {
	return fmt.Sprintf(`{"ref":%q,"before":%q,"repository":{"full_name":"test/test"},%s}`, ref, before, rest)
}

// events are deliveries, with what they mean.
var deliveries = []struct {
	name, event, body string
	want              github.Event
}{
	{"branch created", "push", push("refs/heads/a/b", zeros, `"created":true,"deleted":false,"head_commit":{"id":"`+hash1+`"}`),
		github.RefEvent{Ref: ref("heads/a/b", hash1), Created: true}},
	{"branch moved", "push", push("refs/heads/feature#1", hash1, `"created":false,"deleted":false,"head_commit":{"id":"`+hash2+`"}`),
		github.RefEvent{Ref: ref("heads/feature#1", hash2), Before: hash1}},
	{"branch deleted", "push", push("refs/heads/main", hash1, `"deleted":true,"head_commit":null`),
		github.RefRemoved{Ref: ref("heads/main", "").ID(), Before: hash1}},
	{"deleted with a commit", "push", push("refs/heads/main", hash1, `"deleted":true,"head_commit":{"id":"`+hash2+`"}`),
		github.RefRemoved{Ref: ref("heads/main", "").ID(), Before: hash1}},
	{"no head commit", "push", push("refs/heads/main", hash1, `"deleted":false`),
		github.RefRemoved{Ref: ref("heads/main", "").ID(), Before: hash1}},
	{"neither branch nor tag", "push", push("refs/notes/x", hash1, `"head_commit":{"id":"`+hash2+`"}`),
		github.OtherEvent{Repo: testRepo, Label: `push left out: ref "refs/notes/x" is neither a branch nor a tag`}},
	{"pull request", "pull_request", prBody, github.PREvent{PR: testPR(), Unread: github.Comments}},
	{"comment of a pull request", "issue_comment", `{"action":"created","issue":{"number":7,"pull_request":{"url":"x"}},"comment":{"id":1}}`,
		github.PREvent{PR: github.PR{Head: github.Commit{Repo: testRepo}, Number: 7}, Unread: github.All}},
	{"comment of an issue", "issue_comment", `{"issue":{"number":7}}`, github.OtherEvent{Repo: testRepo, Label: "issue_comment"}},
	{"status", "status", `{"id":42,"sha":"` + hash1 + `","context":"ci/datakit","state":"failure","description":" no ","target_url":"http://x/"}`,
		github.StatusEvent{Status: github.Status{Commit: ref("", hash1).Commit, Context: "ci/datakit",
			State: github.Failure, Description: "no", URL: "http://x/", Serial: 42}}},
	{"create", "create", `{"ref":"simple-tag","ref_type":"tag"}`, github.OtherEvent{Repo: testRepo, Label: "create"}},
	{"delete", "delete", `{"ref":"simple-tag","ref_type":"tag"}`, github.OtherEvent{Repo: testRepo, Label: "delete"}},
	{"ping", "ping", `{"zen":"Keep it logically awesome."}`, nil},
	{"anything else", "fork", `{}`, github.OtherEvent{Repo: testRepo, Label: "fork"}},
	{"no name", "", `{}`, github.OtherEvent{Repo: testRepo, Label: `""`}},
	{"strange name", "a\nb", `{}`, github.OtherEvent{Repo: testRepo, Label: `"a\nb"`}},
}

func TestGH171_EventOfDelivery(t *testing.T) {
	t.Parallel()
	for _, tt := range deliveries {
		got, err := Parse(testRepo, tt.event, []byte(tt.body))
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, event (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// TestGH172_AnnotatedTag: the hash is the commit's, after is the tag's.
func TestGH172_AnnotatedTag(t *testing.T) {
	t.Parallel()
	body := push("refs/tags/v1", zeros, `"after":"`+tagHash+`","created":true,"head_commit":{"id":"`+hash1+`"}`)
	got, err := Parse(testRepo, "push", []byte(body))
	want := github.RefEvent{Ref: ref("tags/v1", hash1), Created: true}
	if got != want || err != nil {
		t.Errorf("Parse = %v, %v, want %v", got, err, want)
	}
}

func TestGH3_DeletedAccount(t *testing.T) {
	t.Parallel()
	body := strings.Replace(prBody, `{"login":"dependabot[bot]"}`, "null", 1)
	body = strings.Replace(body, `"Please.\n "`, "null", 1)
	got, err := Parse(testRepo, "pull_request", []byte(body))
	want := testPR()
	want.Owner, want.Comments = github.Ghost, []github.Comment{{Author: github.Ghost}}
	if diff := cmp.Diff(github.Event(github.PREvent{PR: want, Unread: github.Comments}), got); diff != "" || err != nil {
		t.Errorf("error %v, event (-want +got):\n%s", err, diff)
	}
}

// unfits are deliveries of GitHub that the model cannot hold.
var unfits = map[string][2]string{
	"GH15_Context":     {"status", `{"sha":"a","context":"a//b","state":"success"}`},
	"GH19_StatusState": {"status", `{"sha":"a","context":"a","state":"odd"}`},
	"GH21_RefName":     {"push", push("refs/heads/.a", hash1, `"head_commit":{"id":"a"}`)},
	"GH229_Login":      {"pull_request", strings.Replace(prBody, "dependabot[bot]", "\\u0007", 1)},
}

func TestGH229_WhatTheModelCannotHoldIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, d := range unfits {
		got, err := Parse(testRepo, d[0], []byte(d[1]))
		other, ok := got.(github.OtherEvent)
		if err != nil || !ok || !strings.HasPrefix(other.Label, d[0]+" left out: ") {
			t.Errorf("%s: Parse = %#v, %v", name, got, err)
		}
	}
}

func TestGH24_EventOfARenamedRepository(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"test/test", "Test/TEST"} { // GitHub's names differ in more than their case
		got, err := Parse(testRepo, "pull_request", []byte(strings.Replace(prBody, "test/test", name, 1)))
		if _, ok := got.(github.PREvent); !ok || err != nil || got.Repository() != testRepo {
			t.Errorf("of %s: Parse = %#v, %v", name, got, err)
		}
	}
	got, err := Parse(testRepo, "pull_request", []byte(strings.Replace(prBody, "test/test", "test/new", 1)))
	other, ok := got.(github.OtherEvent)
	if !ok || err != nil || !strings.Contains(other.Label, `test/test has been renamed`) {
		t.Errorf("of test/new: Parse = %#v, %v", got, err)
	}
}

func TestGH181_BodiesThatAreNotGitHubs(t *testing.T) {
	t.Parallel()
	for _, d := range [][2]string{
		{"push", ``}, {"push", `{`}, {"push", `[]`}, {"push", `{} {}`}, {"fork", `x`}, {"ping", `x`},
		{"push", `{}`}, {"push", `{"ref":1}`}, {"push", `{"ref":"heads/x"}`},
		{"push", `{"ref":"refs/heads/x","head_commit":{"id":""}}`},
		{"pull_request", `{}`}, {"pull_request", `{"pull_request":{"number":-1}}`},
		{"pull_request", `{"pull_request":{"number":1,"state":"open","head":{"sha":"a/b"}}}`},
		{"pull_request", `{"pull_request":{"number":1,"state":"merged","head":{"sha":"a"}}}`},
		{"status", `{}`}, {"status", `{"sha":".."}`}, {"status", `{"sha":"a","id":"x"}`},
		{"issue_comment", `{}`}, {"issue_comment", `{"issue":{"number":-1,"pull_request":{}}}`},
	} {
		if got, err := Parse(testRepo, d[0], []byte(d[1])); err == nil {
			t.Errorf("%s %s: Parse = %#v, want an error", d[0], d[1], got)
		}
	}
}

// FuzzGH171_Parse: whatever comes, an event belongs to the repository, and is
// one that the model can hold.
func FuzzGH171_Parse(f *testing.F) {
	for _, d := range deliveries {
		f.Add(d.event, []byte(d.body))
	}
	for _, d := range unfits {
		f.Add(d[0], []byte(d[1]))
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		ev, err := Parse(testRepo, name, body)
		if err != nil || ev == nil {
			if err == nil && name != "ping" {
				t.Fatalf("%q has no event and no error", name)
			}
			return
		}
		if ev.Repository() != testRepo {
			t.Fatalf("an event of %s", ev.Repository())
		}
		if !json.Valid(body) {
			t.Fatal("an event of what is no JSON")
		}
		checkEvent(t, ev)
	})
}

func checkEvent(t *testing.T, ev github.Event) {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%#v: %v", ev, err)
		}
	}
	switch ev := ev.(type) {
	case github.StatusEvent:
		_, err := github.ParseContext(string(ev.Status.Context))
		check(err)
		_, err = github.NewCommit(testRepo, ev.Status.Commit.Hash)
		check(err)
	case github.RefEvent:
		_, err := github.ParseRefName(string(ev.Ref.Name))
		check(err)
		_, err = github.NewCommit(testRepo, ev.Ref.Commit.Hash)
		check(err)
	case github.PREvent:
		if ev.Unread == github.All {
			return
		}
		_, err := github.ParseLogin(ev.PR.Owner)
		check(err)
		_, err = github.NewCommit(testRepo, ev.PR.Head.Hash)
		check(err)
	}
}
