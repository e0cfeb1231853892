package api

import (
	"context"
	"time"
)

// SetPause replaces the waiting before a repetition.
func (c *Client) SetPause(f func(ctx context.Context, d time.Duration) error) { c.pause = f }

// Later fills the places in which requests wait to be repeated.
func (c *Client) FillLater() {
	for range cap(c.later) {
		c.later <- struct{}{}
	}
}
