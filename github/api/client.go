package api

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	gogithub "github.com/google/go-github/v93/github"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/internal/cache"
)

// A Client speaks to GitHub with one token. Its methods may be called from
// several goroutines at once; of all their requests at most Config.Jobs are
// under way at once.
type Client struct {
	cfg   Config
	gh    *gogithub.Client
	auth  auth
	http  *http.Transport
	jobs  chan struct{} // has a value for each request that is under way
	later chan struct{} // has a value for each request that waits to be repeated
	limit limits
	kept  *cache.Cache[string, page] // by the path of the request
	pause func(ctx context.Context, d time.Duration) error

	mu       sync.Mutex      // guards reported
	reported map[string]bool // what was said in the log, to say it once
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
	t := newTransport(cfg.Jobs)
	c := &Client{
		cfg: cfg, http: t, pause: pause,
		jobs: make(chan struct{}, cfg.Jobs), later: make(chan struct{}, max(1, cfg.Jobs/4)),
		kept: cache.New[string, page](cfg.CacheBytes), reported: map[string]bool{},
	}
	c.limit.remaining.Store(-1)
	if c.gh, err = goGitHub(cfg, &redirector{base: base, next: &carrier{base: base, next: t}}); err != nil {
		return nil, err
	}
	if c.auth, err = newAuth(cfg, c.gh); err != nil {
		return nil, err
	}
	return c, nil
}

// goGitHub returns go-github's client over a transport. Limits are ours to
// check.
func goGitHub(cfg Config, t http.RoundTripper) (*gogithub.Client, error) {
	base := cfg.BaseURL + "/"
	gh, err := gogithub.NewClient(
		gogithub.WithTransport(t),
		gogithub.WithURLs(&base, &base),
		gogithub.WithUserAgent("datakit-github/"+cfg.Version),
		gogithub.WithDisableRateLimitCheck(),
	)
	if err != nil {
		return nil, invalid("%w", err)
	}
	return gh, nil
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// report says something in the log unless the same key was reported before.
func (c *Client) report(key, message string, args ...any) {
	c.mu.Lock()
	said := c.reported[key]
	if len(c.reported) >= 10_000 { // rather repeat a few lines than grow for ever
		clear(c.reported)
	}
	c.reported[key] = true
	c.mu.Unlock()
	if !said {
		c.cfg.Log.Warn(message, args...)
	}
}

// backoff returns how long to wait before the repetition n, from 0: 1 second,
// doubling up to 60, a quarter more or less (GH-109).
func backoff(n int) time.Duration {
	d := min(time.Second<<min(n, 10), time.Minute)
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2))
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
