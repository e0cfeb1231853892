//go:build !linux && !darwin

package fuse

import "github.com/datakit/datakit/vfs"

// A Mount cannot exist on this system.
type Mount struct{}

// New fails with ErrUnsupported.
func New(vfs.Dir, string, *Options) (*Mount, error) { return nil, ErrUnsupported }

// Drain does nothing.
func (m *Mount) Drain() {}

// Cancel does nothing.
func (m *Mount) Cancel() {}

// Done returns nil.
func (m *Mount) Done() <-chan struct{} { return nil }
