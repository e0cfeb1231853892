//go:build !linux

package mount

import (
	"context"
	"errors"
)

func (m *Mount) mountKernel(context.Context, string) (*mounted, error) {
	return nil, errors.New("only Linux has one")
}
