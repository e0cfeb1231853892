package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	gogithub "github.com/google/go-github/v93/github"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/backoff"
)

// maxRetries is how often a request is repeated (GH-170).
const maxRetries = 3

// A call is one request of an operation, and how to repeat it.
type call struct {
	op      string
	subject fmt.Stringer
	method  string
	path    string // below the base URL
	body    any    // becomes JSON, unless it is nil
	etag    string // of what is known; "" for none

	once bool // it is not repeated

	// look, if not nil, is asked before a repetition whether the request has
	// done its work already.
	look func(ctx context.Context) (done bool, err error)
}

// send makes the request, decodes the answer into v, unless that is nil, and
// repeats it where that is safe. The error is a *github.APIError, or that of
// ctx. An answer 304 is no error.
func (c *Client) send(ctx context.Context, k call, v any) (*gogithub.Response, error) {
	for n := 0; ; n++ {
		resp, err := c.try(ctx, k, v)
		if !c.worthRepeating(ctx, k, err, n) {
			return resp, err
		}
		select {
		case c.later <- struct{}{}:
		default:
			return resp, err // enough others wait
		}
		waitErr := c.pause(ctx, backoff.Delay(n+1))
		<-c.later
		if waitErr != nil {
			return nil, waitErr
		}
		if k.look == nil {
			continue
		}
		if done, lookErr := k.look(ctx); done || lookErr != nil {
			return nil, lookErr
		}
	}
}

// worthRepeating reports whether a request that has failed is to be repeated:
// not after a limit, which lasts too long, nor with a token that GitHub refuses.
// What hangs is not repeated either: whoever waits for it has waited for long
// (GH-109).
func (c *Client) worthRepeating(ctx context.Context, k call, err error, n int) bool {
	var e *github.APIError
	return errors.As(err, &e) && ctx.Err() == nil && !k.once && n < maxRetries &&
		e.Temporary && e.RetryAt.IsZero() && e.Status != http.StatusUnauthorized &&
		!errors.Is(e.Err, context.DeadlineExceeded)
}

// try makes the request once; but again at once with another token if GitHub
// has refused the one it had.
func (c *Client) try(ctx context.Context, k call, v any) (*gogithub.Response, error) {
	resp, used, err := c.request(ctx, k, v)
	var e *github.APIError
	if errors.As(err, &e) && e.Status == http.StatusUnauthorized && !used.IsZero() && c.auth.renew(ctx, used) {
		resp, _, err = c.request(ctx, k, v)
	}
	return resp, err
}

// request makes one request, when it is its turn. used is the token that it
// carried, zero if none could be had.
func (c *Client) request(ctx context.Context, k call, v any) (resp *gogithub.Response, used token.Secret, err error) {
	select {
	case c.jobs <- struct{}{}:
		defer func() { <-c.jobs }()
	case <-ctx.Done():
		return nil, used, ctx.Err()
	}
	if until, ok := c.limit.closed(time.Now()); ok {
		return nil, used, limited(k, http.StatusForbidden, until)
	}
	used, err = c.auth.token(ctx)
	if err != nil {
		return nil, used, c.tokenError(ctx, k, err)
	}
	start := time.Now()
	resp, err = c.do(withToken(ctx, used), k, v)
	github.Progress(ctx)
	var retryAt time.Time
	if resp != nil && resp.Response != nil {
		retryAt = c.limit.note(time.Now(), resp.Response, err)
	}
	err = c.apiError(ctx, k, resp, err, retryAt)
	if c.cfg.Observe != nil {
		c.cfg.Observe(Observation{k.op, result(ctx, resp, err), time.Since(start), int(c.limit.remaining.Load())})
	}
	return resp, used, err
}

// do sends a request within the time that one may take.
func (c *Client) do(ctx context.Context, k call, v any) (*gogithub.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := c.gh.NewRequest(ctx, k.method, k.path, k.body)
	if err != nil {
		return nil, err
	}
	if k.etag != "" {
		req.Header.Set("If-None-Match", k.etag)
	}
	if v == nil {
		v = io.Discard // read to its end, so that the connection can be used again
	}
	return c.gh.Do(req, v)
}

// result tells how a request ended.
func result(ctx context.Context, resp *gogithub.Response, err error) Result {
	var e *github.APIError
	switch {
	case err == nil && resp != nil && resp.StatusCode == http.StatusNotModified:
		return ResultUnchanged
	case err == nil:
		return ResultOK
	case ctx.Err() != nil, !errors.As(err, &e):
		return ResultCancelled
	case !e.RetryAt.IsZero():
		return ResultLimited
	case e.Temporary:
		return ResultFailed
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return ResultAbsent
	}
	return ResultRefused
}
