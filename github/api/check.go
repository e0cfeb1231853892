package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
)

// ErrToken is the error when GitHub does not accept the token.
var ErrToken = errors.New("GitHub does not accept the token")

// Check makes a request that costs nothing of the limit, to learn whether
// GitHub accepts the token (GH-200). It does not repeat it. The error is in one
// line; it is ErrToken, and says how to make a token, if GitHub answers 401, and
// else an *github.APIError, after which later calls may succeed.
func (c *Client) Check(ctx context.Context) error {
	k := call{op: github.OpCheckToken, subject: named("at " + c.gh.BaseURL()), method: http.MethodGet, path: "rate_limit", once: true}
	_, err := c.send(ctx, k, nil)
	var e *github.APIError
	switch {
	case absent(err): // GitHub Enterprise may have no limits
		return nil
	case !errors.As(err, &e) || e.Status != http.StatusUnauthorized:
		return err
	case c.cfg.App != nil:
		return fmt.Errorf("%w (%s): check the number of the GitHub App, that of its installation, and its private key", ErrToken, e.Reason())
	}
	return fmt.Errorf("%w (%s); %s", ErrToken, e.Reason(), token.HowTo(c.cfg.BaseURL))
}
