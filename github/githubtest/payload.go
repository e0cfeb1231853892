package githubtest

import (
	"cmp"
	"strings"
	"time"

	"github.com/datakit/datakit/github"
)

// noHash is what GitHub says for the commit of a ref that is not there.
var noHash = strings.Repeat("0", 40)

// A message is the name and the body of a webhook.
type message struct {
	event string
	body  jsonObject
}

// messages returns the webhooks that tell of a change: a ref that is made or
// removed has two.
func (c Change) messages() []message {
	body := jsonObject{"repository": repoJSON(c.Repo), "sender": userJSON("octocat")}
	switch c.Kind {
	case "push":
		return c.pushMessages(body)
	case "pull_request":
		body["action"], body["number"], body["pull_request"] = c.Action, c.PR.Number, prJSON(c.PR)
	case "issue_comment":
		body["action"], body["comment"] = c.Action, commentJSON(c.Comment)
		body["issue"] = jsonObject{
			"number": c.PR.Number, "title": c.PR.Title, "state": c.PR.State.String(), "user": userJSON(c.PR.Owner),
			"pull_request": jsonObject{"url": "https://api.github.com/repos/" + c.Repo.String() + "/pulls"},
		}
	case "status":
		for k, v := range statusJSON(c.Status) {
			body[k] = v
		}
		body["sha"], body["name"] = c.Hash, c.Repo.String()
		body["updated_at"] = c.At.UTC().Format(time.RFC3339)
	case "ping":
		body["zen"], body["hook_id"] = "Keep it logically awesome.", c.Hook
	}
	return []message{{c.Kind, body}}
}

func (c Change) pushMessages(body jsonObject) []message {
	created, deleted := c.Before == "", c.After == ""
	var head any
	if !deleted {
		head = jsonObject{"id": c.After, "message": "a message", "timestamp": c.At.UTC().Format(time.RFC3339)}
	}
	push := jsonObject{
		"ref": "refs/" + c.Ref, "before": cmp.Or(c.BeforeObject, noHash), "after": cmp.Or(c.AfterObject, noHash),
		"created": created, "deleted": deleted, "forced": false, "head_commit": head,
		"repository": body["repository"], "sender": body["sender"],
	}
	kind, name, ok := strings.Cut(c.Ref, "/")
	if !ok || !created && !deleted {
		return []message{{"push", push}}
	}
	body["ref"], body["ref_type"], body["pusher_type"] = name, "branch", "user"
	if kind == "tags" {
		body["ref_type"] = "tag"
	}
	if created {
		return []message{{"push", push}, {"create", body}}
	}
	return []message{{"push", push}, {"delete", body}}
}

// wants reports whether a webhook gets messages with that name.
func wants(h github.Hook, c Change, event string) bool {
	if c.Hook != 0 {
		return h.ID == c.Hook
	}
	if !h.Active {
		return false
	}
	for _, e := range h.Events {
		if e == event || e == "*" {
			return true
		}
	}
	return false
}
