//go:build !windows

package endpoint

import (
	"context"
	"errors"
	"net"
)

// A pipe address is the whole name of a named pipe.
type pipe string

var errNoPipes = errors.New("named pipes exist on Windows only")

func (pipe) listen(context.Context) ([]net.Listener, error) { return nil, errNoPipes }
func (pipe) dial(context.Context) (net.Conn, error)         { return nil, errNoPipes }
