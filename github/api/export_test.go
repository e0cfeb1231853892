package api

import (
	"context"
	"net/http"
	"time"
)

// NewOver returns a client over a transport.
func NewOver(cfg Config, t http.RoundTripper) (*Client, error) {
	cfg, base, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return newClient(cfg, base, t)
}

// SetPause replaces the waiting before a repetition.
func (c *Client) SetPause(f func(ctx context.Context, d time.Duration) error) { c.pause = f }

// FillLater fills the places in which requests wait to be repeated.
func (c *Client) FillLater() {
	for range cap(c.later) {
		c.later <- struct{}{}
	}
}

// WithMaxAnswer returns c with another bound of an answer.
func (c Config) WithMaxAnswer(bytes int) Config {
	c.maxAnswer = bytes
	return c
}
