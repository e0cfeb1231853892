package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	gogithub "github.com/google/go-github/v93/github"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/cache"
)

const (
	maxMessage = 300 // characters of GitHub's words that are kept
	maxSecrets = 16  // that are hidden, of each sort; a bridge has one webhook secret
)

// A Client speaks to GitHub with one token. Its methods may be called from
// several goroutines at once; of all their requests at most Config.Jobs are
// under way at once.
type Client struct {
	cfg   Config
	gh    *gogithub.Client
	auth  auth
	http  http.RoundTripper
	jobs  chan struct{} // has a value for each request that is under way
	later chan struct{} // has a value for each request that waits to be repeated
	limit limits
	kept  *cache.Cache[string, page] // by the path of the request
	pause func(ctx context.Context, d time.Duration) error

	mu       sync.Mutex      // guards what follows
	reported map[string]bool // what was said in the log, to say it once
	secrets  []token.Secret  // what no error may show
	passing  []token.Secret  // likewise, of what an App has made last
}

var (
	_ github.API     = (*Client)(nil)
	_ github.HookAPI = (*Client)(nil)
)

// New returns a client. It makes no request. The error is Invalid if the
// configuration is.
func New(cfg Config) (*Client, error) {
	cfg, base, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return newClient(cfg, base, newTransport(cfg.Jobs))
}

// newClient returns a client over a transport.
func newClient(cfg Config, base *url.URL, t http.RoundTripper) (c *Client, err error) {
	c = &Client{
		cfg: cfg, http: t, pause: pause,
		jobs: make(chan struct{}, cfg.Jobs), later: make(chan struct{}, max(1, cfg.Jobs/4)),
		kept: cache.New[string, page](cfg.CacheBytes), reported: map[string]bool{},
	}
	c.limit.remaining.Store(-1)
	c.hide(cfg.Token)
	if c.gh, err = goGitHub(base, cfg.Version, &redirector{base: base, next: &carrier{base: base, next: t, bound: cfg.maxAnswer}}); err != nil {
		return nil, err
	}
	if c.auth, err = newAuth(cfg, c.gh, c.hidePassing); err != nil {
		return nil, err
	}
	return c, nil
}

// goGitHub returns go-github's client over a transport. Limits are ours to
// check.
func goGitHub(base *url.URL, version string, t http.RoundTripper) (*gogithub.Client, error) {
	text := base.String()
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // t follows
	gh, err := gogithub.NewClient(
		gogithub.WithHTTPClient(&http.Client{Transport: t, CheckRedirect: stay}),
		gogithub.WithURLs(&text, &text),
		gogithub.WithUserAgent("datakit-github/"+version),
		gogithub.WithDisableRateLimitCheck(),
	)
	if err != nil {
		return nil, invalid("%w", err)
	}
	return gh, nil
}

// Close closes the connections that are idle.
func (c *Client) Close() { (&http.Client{Transport: c.http}).CloseIdleConnections() }

// Format shows where GitHub is, for all verbs of package fmt.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "GitHub at "+c.gh.BaseURL()) }

// report says in the log what of a repository was left out, and why, unless the
// same key was reported before.
func (c *Client) report(key, what string, r github.Repo, err error) {
	c.mu.Lock()
	said := c.reported[key]
	if len(c.reported) >= 10_000 { // rather repeat a few lines than grow for ever
		clear(c.reported)
	}
	c.reported[key] = true
	c.mu.Unlock()
	if !said {
		c.cfg.Log.Warn("left out a "+what+" of GitHub that the model does not hold", "repository", r.String(), "error", c.clean(err.Error()))
	}
}

// hide keeps a secret out of all later errors and logs (GH-201).
func (c *Client) hide(s token.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.IsZero() && len(c.secrets) < maxSecrets && !slices.Contains(c.secrets, s) {
		c.secrets = append(c.secrets, s)
	}
}

// hidePassing is hide for what ends within an hour.
func (c *Client) hidePassing(s token.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passing = append(c.passing, s)
	c.passing = c.passing[max(0, len(c.passing)-maxSecrets):]
}

// clean returns text in one line of a bounded length without the secrets.
func (c *Client) clean(text string) string {
	c.mu.Lock()
	for _, s := range slices.Concat(c.secrets, c.passing) {
		text = s.Hide(text)
	}
	c.mu.Unlock()
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}

// pause waits for d, or until ctx ends, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
