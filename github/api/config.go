package api

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github/token"
)

// The defaults of a Config.
const (
	DefaultURL        = "https://api.github.com"
	DefaultJobs       = 16
	DefaultTimeout    = 30 * time.Second
	DefaultCacheBytes = 64 << 20
)

// A Config says how to reach GitHub. One of Token and App is required.
type Config struct {
	// BaseURL is that of the API: "" for github.com's, else for GitHub
	// Enterprise "https://HOST/api/v3".
	BaseURL string

	Token token.Secret // a personal access token
	App   *App         // an installation of a GitHub App

	// Version of the program is told to GitHub (GH-164).
	Version string

	Jobs       int           // requests under way at once, at most; 0 means DefaultJobs
	Timeout    time.Duration // of a request; 0 means DefaultTimeout
	CacheBytes int           // of answers that are kept; 0 means DefaultCacheBytes

	Log *slog.Logger // nil means no log

	// Observe, unless nil, is told of each request when it has ended, on the
	// goroutine that made it; it must be quick.
	Observe func(Observation)

	maxAnswer int // bytes of an answer; 0 means the constant
}

// An Observation tells how a request went, for metrics (GH-205).
type Observation struct {
	Op        string // one of the github.Op names
	Result    Result
	Took      time.Duration
	Remaining int // requests that GitHub still allows now; -1 if it did not say
}

// A Result is how a request ended.
type Result string

// The results of requests.
const (
	ResultOK        Result = "ok"
	ResultUnchanged Result = "unchanged" // a conditional request, 304
	ResultAbsent    Result = "absent"    // 404 or 410
	ResultRefused   Result = "refused"   // another 4xx that will stay
	ResultLimited   Result = "limited"   // a rate limit was reached
	ResultFailed    Result = "failed"    // no answer, 5xx, 401, or no sense in it
	ResultCancelled Result = "cancelled" // the caller has given up
)

// withDefaults returns c with the defaults in place, and its BaseURL parsed,
// with a slash at the end. The error is Invalid.
func (c Config) withDefaults() (Config, *url.URL, error) {
	c.BaseURL = cmp.Or(c.BaseURL, DefaultURL)
	c.Version = cmp.Or(c.Version, "dev")
	c.Jobs = cmp.Or(max(c.Jobs, 0), DefaultJobs)
	c.Timeout = cmp.Or(max(c.Timeout, 0), DefaultTimeout)
	c.CacheBytes = cmp.Or(max(c.CacheBytes, 0), DefaultCacheBytes)
	c.maxAnswer = cmp.Or(c.maxAnswer, maxAnswer)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return c, nil, err
	}
	if c.Token.IsZero() == (c.App == nil) {
		return c, nil, invalid("%w", errors.New("either a token or a GitHub App is needed"))
	}
	return c, base, nil
}

// parseBase reads the base URL. One with a user or password is refused, as it
// would show up in errors.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/") + "/")
	switch {
	case err != nil:
		return nil, invalid("the URL of the API cannot be read; write it as %s", DefaultURL)
	case u.User != nil:
		return nil, invalid("the URL of the API at %s must not have a user: use a token", u.Host)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, invalid("%q is no URL of the API; write it as %s", text, DefaultURL)
	}
	return u, nil
}

func invalid(format string, args ...any) error {
	return &datakit.Error{Op: "reach GitHub", Kind: datakit.Invalid, Err: fmt.Errorf(format, args...)}
}

// newTransport returns what carries the requests of up to that many jobs.
func newTransport(jobs int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = jobs
	t.MaxIdleConnsPerHost = jobs
	return t
}
