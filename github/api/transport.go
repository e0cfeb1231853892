package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/datakit/datakit/github/token"
)

const (
	maxRedirects = 10       // GH-165
	maxAnswer    = 32 << 20 // bytes of one answer; 100 comments of the largest size fit
)

// mediaType is what GitHub is asked to answer (GH-164).
const mediaType = "application/vnd.github+json"

// A redirector follows redirects (GH-165). Unlike http.Client it keeps the
// method and the body whatever the status, as GitHub means it: a PATCH that
// became a GET would seem to have succeeded.
type redirector struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip is part of http.RoundTripper.
func (r *redirector) RoundTrip(req *http.Request) (*http.Response, error) {
	for hops := 0; ; hops++ {
		resp, err := r.next.RoundTrip(req)
		if err != nil || !redirects(resp.StatusCode) {
			return resp, err
		}
		resp.Body.Close()
		if hops == maxRedirects {
			return nil, fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if req, err = r.follow(req, resp); err != nil {
			return nil, err
		}
	}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow returns the request to where an answer leads.
func (r *redirector) follow(req *http.Request, resp *http.Response) (*http.Request, error) {
	to, err := resp.Location()
	if err != nil {
		return nil, errors.New("a redirect to nowhere")
	}
	if req.Method != http.MethodGet && !sameOrigin(to, r.base) {
		return nil, fmt.Errorf("a redirect of a %s to another host, %s", req.Method, to.Host)
	}
	next := req.Clone(req.Context())
	next.URL, next.Host = to, ""
	if req.GetBody != nil {
		if next.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// sameOrigin reports whether two URLs have scheme, host and port in common.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return "80"
}

// A carrier adds what each request carries, the token only to the host of the
// base URL (GH-165), and bounds the answer.
type carrier struct {
	base  *url.URL
	next  http.RoundTripper
	bound int // bytes
}

type tokenKey struct{}

// withToken returns a context whose requests carry the token.
func withToken(ctx context.Context, t token.Secret) context.Context {
	return context.WithValue(ctx, tokenKey{}, t)
}

// RoundTrip is part of http.RoundTripper.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Accept", mediaType)
	req.Header.Del("Authorization")
	if t, ok := req.Context().Value(tokenKey{}).(token.Secret); ok && sameOrigin(req.URL, c.base) {
		req.Header.Set("Authorization", "Bearer "+t.Reveal())
	}
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{resp.Body, c.bound, c.bound}
	return resp, nil
}

// A boundedBody fails when more bytes are read than the bound.
type boundedBody struct {
	io.ReadCloser
	bound, left int
}

// Read is part of io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("an answer of more than %d bytes", b.bound)
	}
	return n, err
}
