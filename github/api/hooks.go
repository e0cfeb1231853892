package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
)

// A hookBody is a webhook as it is sent and answered (GH-177).
type hookBody struct {
	ID     int64      `json:"id,omitempty"`
	Name   string     `json:"name,omitempty"`
	Active bool       `json:"active"`
	Events []string   `json:"events,omitempty"`
	Config hookConfig `json:"config"`
}

type hookConfig struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type,omitempty"`
	InsecureSSL any    `json:"insecure_ssl,omitempty"` // a text or a number
	Secret      string `json:"secret,omitempty"`
}

// sent returns what is sent of a webhook.
func sent(h github.Hook) hookBody {
	insecure := "0"
	if h.InsecureSSL {
		insecure = "1"
	}
	return hookBody{
		Active: h.Active, Events: h.Events,
		Config: hookConfig{URL: h.URL, ContentType: h.ContentType, InsecureSSL: insecure, Secret: h.Secret},
	}
}

// hook returns what was answered, without the stars that GitHub shows for a
// secret.
func (b hookBody) hook() github.Hook {
	return github.Hook{
		ID: b.ID, URL: b.Config.URL, Active: b.Active, Events: b.Events, ContentType: b.Config.ContentType,
		InsecureSSL: fmt.Sprint(b.Config.InsecureSSL) == "1",
	}
}

func hooksPath(r github.Repo) string { return "repos/" + r.String() + "/hooks" }

func hookPath(r github.Repo, id int64) string { return fmt.Sprintf("%s/%d", hooksPath(r), id) }

// Hooks is part of github.HookAPI.
func (c *Client) Hooks(ctx context.Context, r github.Repo) ([]github.Hook, error) {
	var list []github.Hook
	err := pages(ctx, c, github.OpListHooks, r, hooksPath(r), "", func(page []hookBody) error {
		for _, b := range page {
			list = append(list, b.hook())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// CreateHook is part of github.HookAPI.
func (c *Client) CreateHook(ctx context.Context, r github.Repo, h github.Hook) (github.Hook, error) {
	c.hide(token.NewSecret(h.Secret))
	body := sent(h)
	body.Name = "web"
	var there github.Hook
	look := func(ctx context.Context) (bool, error) {
		list, err := c.Hooks(ctx, r)
		for _, g := range list {
			if g.URL == h.URL {
				there = g
			}
		}
		return there.ID != 0, err
	}
	k := call{op: github.OpCreateHook, subject: r, method: http.MethodPost, path: hooksPath(r), body: body, look: look}
	var made hookBody
	_, err := c.send(ctx, k, &made)
	if hasStatus(err, http.StatusUnprocessableEntity) {
		if ok, lookErr := look(ctx); lookErr == nil && ok {
			return there, nil
		}
	}
	switch {
	case err != nil:
		return github.Hook{}, err
	case there.ID != 0:
		return there, nil
	case made.ID == 0:
		return github.Hook{}, c.nonsense(k, "the webhook has no number")
	}
	return made.hook(), nil
}

// UpdateHook is part of github.HookAPI.
func (c *Client) UpdateHook(ctx context.Context, r github.Repo, h github.Hook) error {
	c.hide(token.NewSecret(h.Secret))
	k := call{op: github.OpUpdateHook, subject: r, method: http.MethodPatch, path: hookPath(r, h.ID), body: sent(h)}
	_, err := c.send(ctx, k, nil)
	return err
}

// DeleteHook is part of github.HookAPI.
func (c *Client) DeleteHook(ctx context.Context, r github.Repo, id int64) error {
	err := c.write(ctx, github.OpDeleteHook, r, Request{Method: http.MethodDelete, Path: hookPath(r, id)}, nil)
	if absent(err) {
		return nil
	}
	return err
}

// PingHook is part of github.HookAPI.
func (c *Client) PingHook(ctx context.Context, r github.Repo, id int64) error {
	return c.write(ctx, github.OpPingHook, r, Request{Method: http.MethodPost, Path: hookPath(r, id) + "/pings"}, nil)
}
