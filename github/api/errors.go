package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v93/github"

	"github.com/datakit/datakit/github"
)

// apiError returns what a request's error means: nil for none and for 304, the
// error of ctx if that has ended, else an *github.APIError (GH-113).
func (c *Client) apiError(ctx context.Context, k call, resp *gogithub.Response, err error, retryAt time.Time) error {
	status := 0
	if resp != nil && resp.Response != nil {
		status = resp.StatusCode
	}
	switch {
	case status == http.StatusNotModified && k.etag != "", err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	e := &github.APIError{Op: k.op, Subject: k.subject.String(), Status: status, RetryAt: retryAt, Err: cause(err)}
	if status < 400 { // no answer, or one that makes no sense
		e.Status = 0
		e.Temporary = true
	} else {
		e.Temporary = status >= 500 || status == http.StatusUnauthorized || status == http.StatusTooManyRequests || !retryAt.IsZero()
	}
	e.Message = c.clean(c.message(err))
	if !retryAt.IsZero() {
		e.Message += untilText(retryAt)
	}
	return e
}

// cause returns an error of the kinds that callers may ask for, never one whose
// text may quote a request or an answer. Whatever has timed out, such as the
// making of a connection, is context.DeadlineExceeded.
func cause(err error) error {
	var timed interface{ Timeout() bool }
	if errors.As(err, &timed) && timed.Timeout() {
		return context.DeadlineExceeded
	}
	return nil
}

// message returns what went wrong, in GitHub's words if there are any.
func (c *Client) message(err error) string {
	var (
		answer    *gogithub.ErrorResponse
		primary   *gogithub.RateLimitError
		secondary *gogithub.AbuseRateLimitError
		otp       *gogithub.TwoFactorAuthError
		sent      *url.Error
	)
	switch {
	case errors.As(err, &answer):
		return answerText(answer)
	case errors.As(err, &otp):
		return answerText((*gogithub.ErrorResponse)(otp))
	case errors.As(err, &primary):
		return primary.Message
	case errors.As(err, &secondary):
		return secondary.Message
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", c.cfg.Timeout)
	case errors.As(err, &sent):
		return "no answer: " + sent.Err.Error()
	}
	return "the answer makes no sense: " + err.Error()
}

// answerText is the message of a failure with its details.
func answerText(e *gogithub.ErrorResponse) string {
	parts := []string{e.Message}
	if e.Message == "" && e.Response != nil {
		parts[0] = http.StatusText(e.Response.StatusCode)
	}
	for _, detail := range e.Errors {
		switch {
		case detail.Message != "":
			parts = append(parts, detail.Message)
		case detail.Field != "":
			parts = append(parts, detail.Field+" "+detail.Code)
		}
	}
	return strings.Join(parts, ": ")
}

// limited is the failure of a request that is not made because of a limit.
func limited(k call, status int, until time.Time) error {
	return &github.APIError{
		Op: k.op, Subject: k.subject.String(), Status: status, Temporary: true, RetryAt: until,
		Message: "GitHub's rate limit is reached" + untilText(until),
	}
}

func untilText(t time.Time) string {
	return "; the next call is allowed at " + t.UTC().Format(time.RFC3339)
}

// tokenError is the failure of a request for which the App's token could not be
// had. Whatever the reason, the request itself was not refused.
func (c *Client) tokenError(ctx context.Context, k call, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &github.APIError{Op: k.op, Subject: k.subject.String(), Temporary: true, Err: cause(err)}
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) && answer.Response.StatusCode < 500 {
		e.Status = http.StatusUnauthorized
	}
	e.Message = "no token for the installation of the GitHub App: " + c.clean(c.message(err))
	return e
}

// absent reports whether GitHub says that there is no such thing (GH-159).
func absent(err error) bool { return hasStatus(err, http.StatusNotFound, http.StatusGone) }

// hasStatus reports whether err is a refusal with one of these statuses.
func hasStatus(err error, statuses ...int) bool {
	var e *github.APIError
	if !errors.As(err, &e) || e.Temporary {
		return false
	}
	for _, s := range statuses {
		if e.Status == s {
			return true
		}
	}
	return false
}

// nonsense is the failure of a request whose answer cannot be true.
func (c *Client) nonsense(k call, why string) error {
	return &github.APIError{Op: k.op, Subject: k.subject.String(), Temporary: true, Message: c.clean("the answer makes no sense: " + why)}
}
