package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/datakit/datakit/github"
)

// SetRef is part of github.API. It moves the reference; if GitHub refuses that
// and has no such reference, it creates it (GH-163). What seems to be missing it
// creates first, which GitHub refuses if it is there.
func (c *Client) SetRef(ctx context.Context, ref github.Ref, create, force bool) error {
	if err := checkSent(github.OpSetRef, ref.ID()); err != nil {
		return err
	}
	var createErr error
	if create {
		createErr = c.createRef(ctx, ref)
		if !hasStatus(createErr, http.StatusUnprocessableEntity) {
			return createErr
		}
	}
	moveErr := c.write(ctx, github.OpSetRef, ref.ID(), MoveRefRequest(ref, force), nil)
	if !hasStatus(moveErr, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity) {
		return moveErr
	}
	there, exists, err := c.Ref(ctx, ref.ID())
	switch {
	case err != nil:
		return err
	case exists && there == ref:
		return nil
	case exists:
		return moveErr
	case create:
		return createErr
	}
	return c.createRef(ctx, ref)
}

// createRef creates a reference. One that is there and points to the wanted
// commit is a success.
func (c *Client) createRef(ctx context.Context, ref github.Ref) error {
	same := func(ctx context.Context) (bool, error) {
		there, exists, err := c.Ref(ctx, ref.ID())
		return exists && there == ref, err
	}
	err := c.write(ctx, github.OpSetRef, ref.ID(), CreateRefRequest(ref), same)
	if !hasStatus(err, http.StatusUnprocessableEntity) {
		return err
	}
	if ok, lookErr := same(ctx); lookErr == nil && ok {
		return nil
	}
	return err
}

// RemoveRef is part of github.API. GitHub refuses to remove what is gone, but
// not only that: after a refusal the reference is looked at.
func (c *Client) RemoveRef(ctx context.Context, id github.RefID) error {
	if err := checkSent(github.OpRemoveRef, id); err != nil {
		return err
	}
	err := c.write(ctx, github.OpRemoveRef, id, RemoveRefRequest(id), nil)
	if !hasStatus(err, http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity) {
		return err
	}
	if _, exists, lookErr := c.Ref(ctx, id); lookErr != nil || exists {
		return err
	}
	return nil
}

// checkSent refuses references that are neither branches nor tags (GH-163).
func checkSent(op string, id github.RefID) error {
	if kind, _, _ := strings.Cut(string(id.Name), "/"); kind == "heads" || kind == "tags" {
		return nil
	}
	return &github.APIError{Op: op, Subject: id.String(), Message: "only references below heads and tags are sent to GitHub"}
}
